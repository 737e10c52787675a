"""A small grid, and vector files of polygons on it."""

import geopandas as gpd
from rasterio.transform import from_origin
from shapely.geometry import box

from slipmap.io.grid import Grid

UTM = "EPSG:32632"
X, Y = 500000.0, 5000000.0
GRID = Grid(UTM, from_origin(X, Y, 10, 10), 100, 80)


def polygons(path, *parts, crs=UTM):
    """(name, box relative to the corner of the grid, metres) → vector file."""
    frame = gpd.GeoDataFrame(
        {"rock": [name for name, _ in parts]},
        geometry=[box(X + b[0], Y - b[3], X + b[2], Y - b[1]) for _, b in parts],
        crs=UTM,
    )
    frame.to_crs(crs).to_file(path)
    return str(path)
