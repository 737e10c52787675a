"""Vector files out: GeoPackages that are whole or not there, with the same bytes each time."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from slipmap.io.atomic import write_aside

# GeoPackages carry the time of writing unless this says otherwise; the same results must give the same bytes.
_DATE = "2021-01-01T00:00:00.000Z"


def write_vector(path: str | Path, frame: gpd.GeoDataFrame, layer: str, **options: object) -> None:
    """Write a GeoPackage of one layer; see `write_layers`."""
    write_layers(path, {layer: frame}, **options)


def write_layers(path: str | Path, layers: Mapping[str, gpd.GeoDataFrame | pd.DataFrame], **options: object) -> None:
    """Write a GeoPackage, whole or not at all, with the same bytes each time.

    Parameters
    ----------
    layers : name → features, or a table without geometry.
    options : for `pyogrio.write_dataframe`, for layers with geometry (``geometry_type``, say).
    """
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE})
    try:
        with write_aside(path) as aside:
            for number, (layer, frame) in enumerate(layers.items()):
                given = options if isinstance(frame, gpd.GeoDataFrame) else {}
                pyogrio.write_dataframe(frame, aside, driver="GPKG", layer=layer, append=number > 0, **given)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
