"""Two tracks of one motion, through the workflow's rules: vertical and east-west velocity as they were put in."""

from datetime import date, timedelta

import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine

from helpers.workflow_runs import snakemake, write_config
from slipmap.config import parse_config
from slipmap.deformation.phase import mm_per_radian
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.sentinel1.sight import look_vector

GRID = Grid("EPSG:32632", Affine(50, 0, 5e5, 0, -50, 5e6), 48, 40)
TRACKS = {"valley": (38.0, -12.0), "valley_descending": (41.0, -168.0)}  # incidence, heading
STABLE = (8, 10)  # row, column of ground that does not move
MOVING = (24, 30)  # the middle of what does: a second track referenced there is brought to the zero of the first
DAYS = [date(2021, 1, 9) + timedelta(days=24 * k) for k in range(8)]
PRODUCTS = [f"results/valley/deformation/velocity_{name}.tif" for name in ("vertical", "east")]


def truth():
    """Simulated: ground that sinks by 30 and moves east by 45 mm/yr in its middle."""
    rows, cols = np.mgrid[: GRID.height, : GRID.width]
    bump = np.exp(-((rows - 24) ** 2 + (cols - 30) ** 2) / 60)
    return -30 * bump, 45 * bump


def write_stack(folder, incidence, heading, seed):
    """Unwrapped interferograms, named as LiCSAR does, of the motion seen from one side; 0.5 mm of noise a date."""
    up, east = truth()
    los = look_vector(incidence, heading)
    rng = np.random.default_rng(seed)
    seen = [
        (los[0] * east + los[2] * up) * (day - DAYS[0]).days / 365.25 + rng.normal(0, 0.5, GRID.shape) for day in DAYS
    ]
    for i, first in enumerate(DAYS):
        for j in range(i + 1, min(i + 3, len(DAYS))):
            name = f"{first:%Y%m%d}_{DAYS[j]:%Y%m%d}"
            phase = (seen[j] - seen[i]) / mm_per_radian(0.0554658) + 1.0
            for role, values in (("unw", phase), ("cc", np.full(GRID.shape, 0.9))):
                path = folder / name / f"{name}.geo.{role}.tif"
                raster.write(path, GRID, values, bands=[role], units="1", long_name=f"simulated {role}")
    (folder / "metadata.txt").write_text(f"centre_range_m=850000\nheading={heading}\navg_incidence_angle={incidence}\n")


def position(place):
    """[longitude, latitude] of a pixel."""
    x, y = GRID.transform @ (place[1] + 0.5, place[0] + 0.5)
    return [v[0] for v in rasterio.warp.transform(GRID.crs, "EPSG:4326", [x], [y])]


def config(folder):
    grid = {"crs": GRID.crs, "resolution": 25, "bounds": list(GRID.bounds)}
    areas = {
        name: {
            "grid": grid,
            "inputs": {"sentinel1": {"level": "unwrapped", "path": str(folder / name)}},
            "deformation": {"reference_point": position(place), "deramp": "none"},
        }
        for name, place in zip(TRACKS, (STABLE, MOVING), strict=True)
    }
    areas["valley"]["deformation"]["opposite_area"] = "valley_descending"
    return {"areas": areas}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracks")
    for seed, (name, geometry) in enumerate(TRACKS.items()):
        write_stack(folder / name, *geometry, seed)
    write_config(folder, config(folder))
    answer = snakemake(folder, *PRODUCTS)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder


def test_vertical_and_east_west_velocity_are_those_put_in(finished):
    for product, expected in zip(PRODUCTS, truth(), strict=True):
        with rasterio.open(finished / product) as src:
            assert src.res == (25, 25) and src.descriptions == ("velocity", "velocity_std")
            assert src.tags()["OPPOSITE_AREA"] == "valley_descending"
            found, deviation = src.read()
        values = found[::2, ::2][1:-1, 1:-1]  # each pixel of the tracks is four of the area's grid
        difference = values - expected[1:-1, 1:-1]
        assert np.ptp(values) > 25
        assert np.sqrt(np.mean(difference**2)) < 2.5
        # What is propagated says how far off it is: interpolation between pixels averages some of the noise out.
        assert 0.4 < difference.std() / np.median(deviation) < 1.2


def test_another_opposite_area_and_what_is_wrong_with_one(finished):
    given = config(finished)
    for wrong, sentence in (("valey_descending", "is no other area; did you mean"), ("valley", "is no other area")):
        given["areas"]["valley"]["deformation"]["opposite_area"] = wrong
        with pytest.raises(InputError, match=sentence):
            parse_config(given)
    given = config(finished)
    given["areas"]["valley_descending"]["inputs"]["sentinel1"]["level"] = "velocity"
    with pytest.raises(InputError, match="area 'valley_descending' has no Sentinel-1 SLCs or interferograms"):
        parse_config(given)
