"""The summary of `slipmap check` names every product: made, or not made and why."""

import numpy as np
import pytest
import yaml
from affine import Affine
from shapely.geometry import Point

from helpers.input_writers import heights, optical, square, tif, vector
from helpers.interferogram_samples import DAYS, PAIRS, licsar, name, phase
from slipmap.check.products import products
from slipmap.cli import main
from slipmap.config import parse_config
from slipmap.deformation.found import Found
from slipmap.factors.names import factor_names

GRID = {"crs": "EPSG:32632", "resolution": 10, "bounds": [500000, 5000000, 501600, 5001600]}
RADAR = {"level": "unwrapped", "path": "ifg"}
ALL = {
    "dem": "dem.tif",
    "sentinel1": RADAR,
    "sentinel2": {"path": "s2", "before": "b", "after": "a"},
    "lithology": {"path": "l.gpkg", "attribute": "rock"},
    "rainfall": "r.nc",
    "soil_moisture": "s.nc",
    "roads": "roads.gpkg",
    "faults": "faults.gpkg",
    "inventory": "i.gpkg",
}
UNET = {"dataset": "p32", "train_areas": ["valley"], "test_areas": ["valley"]}
COVERED = UNET | {"prediction": {"coverage": 0.9}}
MODELS = {"maps": ["random_forest"], "risk_index": {}}


def told(inputs=ALL, found=None, experiments=None, **area):
    """Product → why it is not made ("": it is)."""
    record = {"areas": {"valley": {"grid": GRID, "inputs": inputs} | area}, "datasets": {"p32": {"size": 32}}}
    record["areas"]["other"] = {"grid": GRID, "inputs": {"dem": "dem.tif", "sentinel1": RADAR}}
    record["experiments"] = {"unet": COVERED} if experiments is None else experiments
    run = parse_config(record)
    factors = factor_names(run.areas["valley"])
    return dict(products("valley", run, factors, found or Found()))


def without(*keys):
    return {key: value for key, value in ALL.items() if key not in keys}


def test_with_everything_all_is_made():
    made = told(susceptibility=MODELS, deformation={"opposite_area": "other"}, event={"date": "2021-02-01"})
    assert set(made.values()) == {""}, made
    assert len(made) >= 14


CASES = {
    "terrain and hydrological factors": (dict(inputs=without("dem")), "no inputs.dem"),
    "reflectance and indices": (dict(inputs=without("sentinel2")), "no inputs.sentinel2.path"),
    "lithology": (dict(inputs=without("lithology")), "no inputs.lithology"),
    "rain": (dict(inputs=without("rainfall")), "no inputs.rainfall"),
    "soil moisture": (dict(inputs=without("soil_moisture")), "no inputs.soil_moisture"),
    "distance to roads": (dict(inputs=without("roads")), "no inputs.roads"),
    "distance to faults": (dict(inputs=without("faults")), "no inputs.faults"),
    "deformation rate as a factor": (dict(inputs=without("sentinel1")), "no inputs.sentinel1"),
    "slope, twi": (dict(factors={"exclude": ["slope", "twi"]}), "factors.exclude"),
    "ndbi": (
        dict(inputs=ALL | {"sentinel2": {"path": "s2"}}, factors={"optical": {"indices": ["ndvi", "ndwi"]}}),
        "not in factors.optical.indices; ndbi needs B11 and B8",
    ),
    "factors that are not listed": (dict(factors={"include": ["slope"]}), "factors.include"),
    "velocity": (dict(inputs=without("sentinel1")), "no inputs.sentinel1"),
    "standard deviation, coherence, mask, time series, kinematics and active areas": (
        dict(inputs=ALL | {"sentinel1": {"level": "velocity", "path": "v.tif"}}), "inputs.sentinel1 is a ready velocity"
    ),
    "downslope velocity, sensitivity, layover and shadow": (
        dict(found=Found(sight=False)),
        "the files tell no incidence angle and heading; set inputs.sentinel1.incidence",
    ),
    "vertical and eastward velocity": ({}, "no deformation.opposite_area"),
    "velocity down the slope from two tracks": (
        dict(inputs=without("dem"), deformation={"opposite_area": "other"}), "no inputs.dem"
    ),
    "change between before and after an event": (
        dict(inputs=ALL | {"sentinel2": {"path": "s2"}}), "no inputs.sentinel2.before and after"
    ),
    "event map from coherence and backscatter": ({}, "no areas.valley.event"),
    "split, screening and patches": (dict(inputs=without("inventory"), experiments={}), "no inputs.inventory"),
    "classical susceptibility models with scores": ({}, "no areas.valley.susceptibility"),
    "maps of classical models": (dict(susceptibility={"maps": []}), "no susceptibility.maps"),
    "map and classes of the Landslide Risk Index": (
        dict(susceptibility={"risk_index": None}), "no susceptibility.risk_index"
    ),
    "landslide maps": (dict(experiments={}), "no experiments"),
    "landslide maps (probability, uncertainty, classes, outlines, and the ground on which to trust them)": (
        dict(experiments={"unet": UNET | {"map_areas": ["other"]}}), "no experiment maps it"
    ),
    "scores on test ground": (
        dict(inputs=without("inventory"), experiments={"map": {"weights": "w"}}), "no inputs.inventory"
    ),
    "conformal prediction sets": (dict(experiments={"unet": UNET}), "no prediction.coverage"),
}  # fmt: skip


@pytest.mark.parametrize("product", CASES)
def test_what_is_not_made_is_named_with_its_reason(product):
    change, why = CASES[product]
    assert told(**change)[product] == why


def test_a_velocity_beside_that_of_linked_phases_is_named():
    slcs = ALL | {"sentinel1": {"level": "slc", "path": "slc"}}
    linked = {"estimator": "phase_linking"}
    for asked in (False, True):
        made = told(slcs, deformation=linked | ({"compare_with": "sbas"} if asked else {}))
        assert made.get("velocity by sbas, beside that of linked phases") == ("" if asked else None)


def test_radar_alone_has_no_slopes_and_nothing_to_map_from():
    made = told({"sentinel1": RADAR}, experiments={"map": {"weights": "w"}})
    assert made["downslope velocity, sensitivity, layover and shadow"] == "no inputs.dem"
    maps = next(why for what, why in made.items() if what.startswith("landslide maps"))
    assert maps == "no factors to map from"


def test_the_command_prints_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    vector("i.gpkg", [square(300, 300), square(900, 700)])
    for day in ("20200514", "20200613", "20200713"):
        optical(f"s2/scene_{day}.tif")
    licsar("ifg")
    for days in PAIRS:
        for role, array in (("unw", phase(*days, (32, 32))), ("cc", phase(*days, (32, 32)) * 0 + 0.8)):
            path = tmp_path / "ifg" / name(*days) / f"{name(*days)}.geo.{role}.tif"
            path.unlink()
            tif(path, array)
    (tmp_path / "ifg" / name(*PAIRS[5]) / f"{name(*PAIRS[5])}.geo.unw.tif").unlink()
    inputs = {
        "dem": "dem.tif",
        "inventory": "i.gpkg",
        "sentinel1": RADAR,
        "sentinel2": {"path": "s2", "end": "2020-06-30"},
    }
    (tmp_path / "my.yaml").write_text(
        yaml.safe_dump({"areas": {"valley": {"grid": GRID, "inputs": inputs}}}, default_style=None)
    )
    status = main(["check", "my.yaml"])
    said = capsys.readouterr()
    assert status == 0, said.err
    lines = [line.strip() for line in said.out.splitlines()]
    assert "area valley: 1.6 x 1.6 km, 160 x 160 pixels of 10 m, EPSG:32632" in lines
    radar = next(line for line in lines if line.startswith("Sentinel-1:"))
    assert (
        radar == f"Sentinel-1: 5 date(s) from {DAYS[0]} to {DAYS[-1]}, {len(PAIRS) - 1} interferograms in ifg (licsar)"
    )
    assert "Sentinel-2: 2 date(s) from 2020-05-14 to 2020-06-13 in s2" in lines
    assert any(line.startswith("made: velocity; standard deviation") for line in lines)
    assert any(line.startswith("not made: downslope velocity") and "incidence" in line for line in lines)
    assert any(line.startswith("left out: ") and name(*PAIRS[5]) in line for line in lines)
    assert "not made: landslide maps (no experiments)" in lines


def checked(capsys, *options, **inputs):
    """The lines that `slipmap check` prints of the area with these inputs."""
    text = yaml.safe_dump({"areas": {"valley": {"grid": GRID, "inputs": inputs}}})
    with open("c.yaml", "w") as file:
        file.write(text)
    assert main(["check", "c.yaml", *options]) == 0, capsys.readouterr().err
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_what_was_not_asked_for_is_one_line_and_all_says_why(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    (short,) = [line for line in checked(capsys, dem="dem.tif") if "not made, since" in line]
    plain = [line for line in checked(capsys, dem="dem.tif") if line.startswith("not made: ")]
    every = [line for line in checked(capsys, "--all", dem="dem.tif") if line.startswith("not made")]
    assert len(plain) <= 2 and len(every) > 14, (plain, every)
    for line in set(every) - set(plain):
        what, why = line.removeprefix("not made: ").removesuffix(")").rsplit(" (no ", 1)
        assert what in short and why not in short


@pytest.mark.parametrize(
    ("shapes", "points"),
    [
        ([Point(500_300 + 200 * k, 5_000_500) for k in range(5)], "5 of 5 landslides are points in i.gpkg"),
        ([Point(500_300, 5_000_500), square(800, 800)], "1 of 2 landslides are points in i.gpkg"),
        ([square(300, 300), square(800, 800)], None),
    ],
    ids=["points", "both", "polygons"],
)
def test_landslides_that_are_points_are_warned_of(shapes, points, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    vector("i.gpkg", shapes)
    lines = checked(capsys, dem="dem.tif", inventory="i.gpkg")
    warned = [line for line in lines if line.startswith("warning: ") and "points" in line]
    assert [points in line and "one pixel of 10 m" in line for line in warned] == ([True] if points else [])


def test_landslides_in_the_area_are_counted_with_their_share_of_it(tmp_path, monkeypatch, capsys):
    """Two squares of 200 m, overlapping by half, and one that is cut in half: 80,000 of 2,560,000 m2 are 3.1 %."""
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    vector("i.gpkg", [square(300, 300), square(400, 300), square(1500, 900), square(5000, 5000)])
    assert "landslides: 3 of 4 in the area, 3.1 % of it (i.gpkg)" in checked(capsys, dem="dem.tif", inventory="i.gpkg")


@pytest.mark.parametrize(
    ("steps", "unit", "said", "warned"),
    [
        (1.0, "", "elevation: 300 to 879 m, median slope 20 degrees (the file says no unit: taken for metres)", False),
        (3.2808, "", "elevation: 984 to 2883 m, median slope 50 degrees", True),
        (3.2808, "ft", "elevation: 300 to 879 m, median slope 20 degrees (the file says 'ft')", False),
    ],
    ids=["metres", "feet unsaid", "feet"],
)
def test_heights_are_told_and_feet_that_nobody_says_show(steps, unit, said, warned, tmp_path, monkeypatch, capsys):
    """A plane of 20 degrees over 1.59 km rises by 579 m; in feet its gradient is 3.28 times tan 20, 50 degrees."""
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights() * steps, nodata=-9999, units=(unit,))
    lines = checked(capsys, dem="dem.tif")
    assert any(line.startswith(said) for line in lines), lines
    assert any(line.startswith("warning: half of the ground in dem.tif") for line in lines) == warned


@pytest.mark.parametrize(("pixel", "said"), [(10, False), (12.5, False), (30, True)])
def test_a_dem_coarser_than_the_grid_is_told(pixel, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = np.arange(160)[::-1, None] * np.ones((1, 160))
    tif("dem.tif", 300 + 3 * rows, transform=Affine(pixel, 0, 500_000, 0, -pixel, 5_001_600), nodata=-9999)
    lines = checked(capsys, dem="dem.tif")
    assert any(line.startswith("note: dem.tif has pixels of 30 m and the grid of 10 m") for line in lines) == said


def test_a_scene_without_a_date_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tif("dem.tif", heights(), nodata=-9999)
    optical("s2.tif", 600)
    (line,) = [one for one in checked(capsys, dem="dem.tif", sentinel2={"path": "s2.tif"}) if "Sentinel-2:" in one]
    assert line == "Sentinel-2: s2 has no date (YYYYMMDD) in the name; only start and end would need one"
