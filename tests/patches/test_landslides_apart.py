"""No landslide of the demo's kind of ground lies in two splits, polygon by polygon as the inventory draws them."""

import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize
from scipy import ndimage

from slipmap.config import read_config
from slipmap.config.patches import SplitSettings
from slipmap.inputs import inventory
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.patches import split
from slipmap.patches.landslides import BlockNumbers
from slipmap.simulator.landslides import map_inventory, place_landslides
from slipmap.simulator.terrain import simulate_terrain


@pytest.mark.parametrize("seed", [7, 8])
def test_no_mapped_landslide_lies_in_two_splits(tmp_path, seed):
    """The demo's simulator, its seed and another, on a part of its ground; whole polygons, not the raster's."""
    grid = Grid.from_bounds("EPSG:32632", 12.5, (500000, 5000000, 503600, 5003600))
    terrain = simulate_terrain(seed, grid)
    slides = place_landslides(seed, grid, terrain, 40, 0.5)
    drawn = map_inventory(seed, grid, terrain, slides, error=20, missed=0.1, false=0.1)
    drawn.to_file(tmp_path / "inventory.gpkg")
    inventory.run(tmp_path / "inventory.gpkg", grid, tmp_path / "inventory.tif")
    for chosen in (SplitSettings(block=48), SplitSettings(block=48, buffer=0), SplitSettings(method="kfold", block=48)):
        split.run(tmp_path / "inventory.tif", chosen, tmp_path / "s.tif", tmp_path / "b.gpkg")
        labels = np.nan_to_num(raster.read(tmp_path / "s.tif", bands=1), nan=255)
        found = _in_several(drawn.geometry, labels, grid)
        assert found == 0
        if not chosen.buffer_of(12.5):  # blocks alone would have cut some
            edges = split.block_edges(grid.height, 48), split.block_edges(grid.width, 48)
            landslide, known = split.count_blocks(tmp_path / "inventory.tif", grid, *edges)
            whole = next(iter(grid.blocks()))
            blocks = split.pixel_labels(split.assign(landslide, known, chosen), BlockNumbers(*edges), whole, 0)
            assert _in_several(drawn.geometry, blocks, grid) > 0


@pytest.mark.parametrize("seed", [7, 8])
def test_no_landslide_of_the_whole_demo_lies_in_two_splits(tmp_path, repository, seed):
    """The demo's area, inventory and split as its config has them, and a second seed."""
    area = read_config(repository / "config/config.yaml").areas["demo"]
    given = area.simulate
    grid = Grid.from_bounds(area.grid.crs, area.grid.resolution, area.grid.bounds)
    terrain = simulate_terrain(seed, grid)
    slides = place_landslides(seed, grid, terrain, given.landslides, given.moving)
    drawn = map_inventory(
        seed, grid, terrain, slides, error=given.mapping_error, missed=given.missed, false=given.false
    )
    assert len(drawn) > 120
    drawn.to_file(tmp_path / "inventory.gpkg")
    inventory.run(tmp_path / "inventory.gpkg", grid, tmp_path / "inventory.tif")
    split.run(tmp_path / "inventory.tif", area.split, tmp_path / "s.tif", tmp_path / "b.gpkg")
    labels = np.nan_to_num(raster.read(tmp_path / "s.tif", bands=1), nan=255)
    assert _in_several(drawn.geometry, labels, grid) == 0
    with rasterio.open(tmp_path / "s.tif") as source:
        assert int(source.tags()["SPLIT_LANDSLIDES_ACROSS"]) > 10  # blocks alone would have cut them


def test_no_landslide_of_romagna_lies_in_two_splits(tmp_path, repository, real_data):
    """May 2023, Emilia-Romagna, with the split of its config; what touches, at a corner too, is one landslide."""
    mask = real_data / "romagna/p4120_mask.tif"
    settings = read_config(repository / "config/areas/romagna.yaml").areas["romagna"].split
    split.run(mask, settings, tmp_path / "s.tif", tmp_path / "b.gpkg")
    with rasterio.open(mask) as source, rasterio.open(tmp_path / "s.tif") as made:
        landslides, count = ndimage.label(source.read(1) == 1, np.ones((3, 3)))
        labels, across = made.read(1), int(made.tags()["SPLIT_LANDSLIDES_ACROSS"])
    own = [set(labels[landslides == number]) - {255} for number in range(1, count + 1)]
    assert count > 20 and max(map(len, own)) == 1 and across > 0
    assert {0, 1, 2} <= set().union(*own)


def _in_several(polygons, labels, grid):
    """How many polygons have pixels in more than one split."""
    count = 0
    for polygon in polygons:
        inside = rasterize([polygon], out_shape=grid.shape, transform=grid.transform, dtype="uint8") == 1
        count += len(set(labels[inside]) - {255}) > 1
    return count
