"""Words of the page for names of the files: short ones, for axes and cells, where a layer's title is too long."""

import pandas as pd

FACTORS = {
    "aspect_sin": "aspect, east part",
    "aspect_cos": "aspect, north part",
    "twi": "topographic wetness index",
    "ndvi": "vegetation index (NDVI)",
    "ndwi": "water index (NDWI)",
    "ndbi": "built-up index (NDBI)",
    "B2": "blue (B2)",
    "B3": "green (B3)",
    "B4": "red (B4)",
    "B8": "near infrared (B8)",
    "velocity": "deformation rate",
}


def many(count: int, noun: str) -> str:
    """The noun for so many: "1 area", "2 areas"."""
    return noun if count == 1 else f"{noun}s"


def factor(name: str) -> str:
    """What a factor is called on axes and in tables; the layer list has its full title."""
    return FACTORS.get(name, name.replace("_", " "))


def with_factors(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its column "factor" in words."""
    return table.assign(factor=table["factor"].map(factor)) if "factor" in table else table
