"""The tables of docs/input_formats.md about the ground: ``python -m slipmap.factors.page docs/input_formats.md``."""

import sys
from collections.abc import Iterable

from slipmap.factors import catalogue, climate_units
from slipmap.inputs import cubes, netcdf, vectors
from slipmap.inputs.contract import ELEVATION
from slipmap.io import marks

MARK = "ground"


def section() -> str:
    """Units, names and ranges as the code has them."""
    heights = ", ".join(f"`{names[0]}`" for names in ELEVATION.spellings.values())
    rows = [
        f"| DEM | {heights}; none said: metres | {ELEVATION.low:g} to {ELEVATION.high:g} m |",
        f"| rain | {_listed(climate_units.RAIN)} | up to {climate_units.MOST_RAIN:g} mm a day |",
        f"| soil moisture | {_listed(climate_units.SOIL)} | 0 to 1 m3/m3 |",
    ]
    alike: dict[tuple[str, str], list[str]] = {}
    for factor in catalogue.records():
        if factor.limits is not None and not factor.package:
            low, high = factor.limits
            alike.setdefault((factor.units, f"{low:g} to {high:g}".replace(" to inf", " and more")), []).append(
                factor.name
            )
    ranges = [f"| {_listed(names)} | {units} | {limits} |" for (units, limits), names in alike.items()]
    lines = [
        "| input | units that are understood | range |",
        "| --- | --- | --- |",
        *rows,
        "",
        f"Variables of NetCDF and HDF5 files: rain {_listed(netcdf.KNOWN['rainfall'])}; soil moisture "
        f"{_listed(netcdf.KNOWN['soil_moisture'])}; or the only one in the file. GeoTIFFs that say no unit hold "
        f"{cubes.GEOTIFF_UNITS['rainfall']} of rain and {cubes.GEOTIFF_UNITS['soil_moisture']} of soil moisture.",
        "",
        f"Vector files: {_listed(vectors.SUFFIXES)}.",
        "",
        "A supplied factor (`inputs.ready_factors`) with one of these names has that unit and range:",
        "",
        "| factors | unit | range |",
        "| --- | --- | --- |",
        *ranges,
        "",
    ]
    return "\n".join(lines)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    marks.rewrite(sys.argv[1:], MARK, section())
