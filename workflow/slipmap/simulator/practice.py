"""Files to practise with, as somebody may own them: a DEM, a Sentinel-2 scene, landslides, a folder of Sentinel-1."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.features import rasterize

from slipmap.config.inputs import SimulateSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.simulator import area
from slipmap.simulator.fields import write_geotiff

GRID = Grid.from_bounds("EPSG:32632", 10.0, (690_000, 4_890_000, 693_200, 4_893_200))  # 320 × 320 pixels
SETTINGS = SimulateSettings(seed=11, dates=14, landslides=60, scenes=3)
DEM, LANDSLIDES, SENTINEL1 = "dem.tif", "landslides.tif", "sentinel1"


def run(folder: str | Path, grid: Grid = GRID, settings: SimulateSettings = SETTINGS) -> list[Path]:
    """Write practice files into `folder`; return them.

    ``dem.tif`` (m), ``sentinel2_DATE.tif`` (the clearest scene, reflectance × 10000), ``landslides.tif`` (1 landslide,
    0 other ground) and ``sentinel1/`` (geocoded SLCs). All of it is simulated, and the tags of the files say so.

    Raises
    ------
    InputError : `folder` holds something already.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; give the name of a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".simulating-") as name:
        made = Path(name)
        area.run(settings, grid, made)
        scene = min(sorted((made / "sentinel2").glob("*.tif")), key=_clouds)
        optical = folder / f"sentinel2_{datetime.strptime(scene.stem, '%Y%m%d'):%Y%m%d}.tif"
        drawn = gpd.read_file(made / "inventory.gpkg")
        shapes = ((geometry, 1) for geometry in drawn.geometry)
        mask = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, fill=0, dtype="uint8")
        write_geotiff(
            folder / LANDSLIDES, grid, mask[None], names=["landslide"], units="1", tags={}, compress="deflate"
        )
        scene.replace(optical)
        (made / DEM).replace(folder / DEM)
        shutil.move(made / "sentinel1", folder / SENTINEL1)
    return [folder / DEM, optical, folder / LANDSLIDES, folder / SENTINEL1]


def _clouds(scene: Path) -> int:
    """Pixels of the scene that its classification calls nodata, cloud or shadow."""
    with rasterio.open(scene) as src:
        return int(np.isin(src.read(src.count), (0, 3, 8, 9, 10)).sum())
