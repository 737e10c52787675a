"""What a large area takes, scaled from a small run's benchmarks: doubling what it grows with doubles it."""

import json

import pytest

from slipmap.errors import InputError
from slipmap.planning import scale

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def finished(tmp_path):
    """A run of 1000 x 1000 pixels of 10 m (100 km²) with five pairs, 36 core seconds for each job."""
    for name in (
        "benchmarks/unwrap",
        "benchmarks/geocode",
        "sentinel1/slc",
        "deformation/unwrapped",
        "factors",
        "maps/rs",
        "maps/rs_dr",
    ):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "grid.json").write_text(json.dumps({"width": 1000, "height": 1000}))
    row = "40\t0:00:40\t500\t0\t0\t0\t0\t0\t90\t36\n"
    for n in range(5):
        (tmp_path / f"deformation/unwrapped/{n}.tif").write_bytes(b"0" * 1000)
        (tmp_path / f"benchmarks/unwrap/{n}.tsv").write_text(HEAD + row)
    for n in range(4):
        (tmp_path / f"sentinel1/slc/{n}.h5").write_bytes(b"0" * 300)
        (tmp_path / f"benchmarks/geocode/{n}.tsv").write_text(HEAD + row)
    (tmp_path / "factors/slope.tif").write_bytes(b"0" * 7000)
    names = ("terrain", "map_landslides_rs", "map_landslides_rs_dr", "screening")
    for name in names:
        (tmp_path / f"benchmarks/{name}.tsv").write_text(HEAD + row)
    (tmp_path / "benchmarks/coverage.tsv").write_text(HEAD + "0.1\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\n")
    return tmp_path


def by_stage(*arguments):
    return {need.stage.name: need for need in scale.needs(*arguments)}


def test_each_stage_grows_with_its_own(finished):
    # 12-day repeat, at most 60 days: 6 dates give 15 pairs, three times the run's five
    needs = by_stage(finished, 200, 10, 6)
    assert needs["unwrapping"].core_hours == pytest.approx(5 * 0.01 * 2 * 3)
    assert needs["unwrapping"].disk == pytest.approx(5000 * 2 * 3)
    assert needs["unwrapping"].largest_job_mb == 500
    # six dates instead of four, on twice the ground
    assert needs["geocoding of raw Sentinel-1"].core_hours == pytest.approx(6 * 0.01 * 2)
    assert needs["geocoding of raw Sentinel-1"].disk == pytest.approx(6 * 300 * 2)
    assert needs["factors"].core_hours == pytest.approx(0.01 * 2) and needs["factors"].disk == pytest.approx(14000)
    assert needs["screening and classical models"].core_hours == pytest.approx(0.01)
    assert needs["mapping, one map"].core_hours == pytest.approx(0.01 * 2)  # two maps were made: the mean
    assert by_stage(finished, 200, 5, 6)["factors"].core_hours == pytest.approx(0.01 * 8)


def test_a_page_for_people(finished):
    page = scale.page(finished, 50_000, 12.5, 103)
    assert "320 million pixels" in page and page.count("\n| ") == len(scale.STAGES) + 2


def test_a_stage_that_the_run_did_not_have_is_no_zero(finished):
    """The run has no interferograms of its own and trained nothing."""
    page = scale.page(finished, 50_000, 12.5, 103)
    rows = [line for line in page.splitlines() if line.startswith(("| interferograms", "| training"))]
    assert len(rows) == 2 and all(row.endswith("| – | – | – |") for row in rows)
    assert "\n| all | |" in page and "nan" not in page and "A dash" in page


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no finished run with deformation"):
        scale.needs(tmp_path, 1, 10, 2)
