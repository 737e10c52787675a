"""The picture for a README: drawn from the maps, and one sentence where there are none."""

import geopandas as gpd
import matplotlib.image
import numpy as np
import pytest
from shapely.geometry import box

from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import overview


def test_the_picture_shows_where_the_landslide_is(tmp_path):
    grid = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 501000, 5001000))
    folder = tmp_path / "valley"
    grid.save(folder / "grid.json")
    pictures = []
    for column in (10, 80):
        probability = np.zeros(grid.shape, np.float32)
        probability[40:60, column : column + 10] = 1
        path = folder / "maps/rs/probability.tif"
        raster.write(path, grid, probability, bands=["p"], units="1", long_name="probability")
        gpd.GeoDataFrame(geometry=[box(500100, 5000400, 500200, 5000600)], crs=grid.crs).to_file(
            folder / "maps/rs/landslides.gpkg", layer="landslides"
        )
        overview.run("valley", "rs", tmp_path / "map.png", results=tmp_path)
        pictures.append(matplotlib.image.imread(tmp_path / "map.png"))
    pictures = [p[: int(0.85 * p.shape[0])] for p in pictures]  # without the colour bar
    red = [np.argwhere((p[..., 0] > 0.4) & (p[..., 1] < 0.1) & (p[..., 2] < 0.2))[:, 1].mean() for p in pictures]
    width = pictures[0].shape[1]
    assert red[1] - red[0] > 0.25 * width  # the landslide moved to the right, and so did its red


@pytest.mark.parametrize(("width", "length"), [(9600, 2000), (1000, 200), (50000, 10000), (17000, 5000)])
def test_the_scale_bar_has_a_round_length_of_a_fifth_to_a_third_of_the_map(width, length):
    assert overview.bar_length(width) == length and 0.1 < length / width <= 0.3


def test_no_map_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="run the workflow for that area and experiment first"):
        overview.run("valley", "rs", tmp_path / "map.png", results=tmp_path)


@pytest.mark.parametrize("name", ["map.xyz", "map", "map.jpg"])
def test_a_picture_that_is_no_png_is_one_sentence(name, tmp_path):
    with pytest.raises(InputError, match=r"name a file that ends in \.png"):
        overview.run("valley", "rs", tmp_path / name, results=tmp_path)


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(InputError, match="does not exist; make it"):
        overview.run("valley", "rs", tmp_path / "new" / "map.png", results=tmp_path)
    assert not (tmp_path / "new").exists()
