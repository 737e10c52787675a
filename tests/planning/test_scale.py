"""The page on what a large area takes."""

import json

import pytest

from slipmap.errors import InputError
from slipmap.planning import cost, scale


@pytest.fixture
def finished(tmp_path):
    """A run of a million pixels with five pairs and factors; it formed no interferograms and trained nothing."""
    for name in ("benchmarks/unwrap", "deformation/unwrapped", "factors"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "grid.json").write_text(json.dumps({"width": 1000, "height": 1000}))
    for n, pair in enumerate(("a_b", "a_c", "b_c", "b_d", "c_d")):
        (tmp_path / f"deformation/unwrapped/{pair}.tif").write_bytes(b"0" * 1000)
        (tmp_path / f"benchmarks/unwrap/{n}.tsv").write_text("s\tmax_rss\tcpu_time\n40\t500\t36\n")
    (tmp_path / "benchmarks/terrain.tsv").write_text("s\tmax_rss\tcpu_time\n40\t500\t36\n")
    return tmp_path


def test_an_area_by_its_ground_and_its_dates():
    # 12-day repeat, at most 60 days: 6 dates give 15 pairs
    assert scale.size(200, 10, 6) == cost.Size(2e6, 6, 15)
    assert scale.size(200, 10, 6, neighbours=2) == cost.Size(2e6, 6, 15, 9)
    assert scale.size(200, 5, 6).pixels == 8e6
    for wrong in ((0, 10, 6), (200, -1, 6), (200, 10, 1), (float("nan"), 10, 6), (float("inf"), 10, 6)):
        with pytest.raises(InputError, match="above zero"):
            scale.size(*wrong)


def test_a_page_for_people(finished):
    page = scale.page(finished, 50_000, 12.5, 103)
    assert "320 million pixels" in page and page.count("\n| ") == len(cost.STAGES) - len(cost.LINKED) + 2
    row = next(line for line in page.splitlines() if line.startswith("| interferograms and unwrapping"))
    assert (
        row == "| interferograms and unwrapping | pixel pair | 1,600 | 500 | 0.16 |"
    )  # 320 times the pixels, 500 pairs for 5


def test_a_stage_that_the_run_did_not_have_is_no_zero(finished):
    page = scale.page(finished, 50_000, 12.5, 103)
    rows = [line for line in page.splitlines() if line.startswith(("| geocoding", "| training"))]
    assert len(rows) == 2 and all(row.endswith("| – | – | – |") for row in rows)
    assert "\n| all | |" in page and "nan" not in page and "A dash" in page


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no finished run with deformation"):
        scale.page(tmp_path, 1, 10, 2)


def test_a_run_of_linked_phases_has_stages_of_its_own(finished):
    """Dates and whole turns in place of interferograms, and as many pairs as neighbours make."""
    (finished / "benchmarks/unwrap").rename(finished / "benchmarks/unwrap_linked")
    for name in ("sentinel1/slc", "deformation/linked"):
        (finished / name).mkdir(parents=True)
    for n in range(4):
        (finished / f"sentinel1/slc/{n}.h5").write_bytes(b"0")
        (finished / f"deformation/linked/{n}.tif").write_bytes(b"0" * 3000)
    (finished / "benchmarks/link_phases_20210109.tsv").write_text("s\tmax_rss\tcpu_time\n40\t500\t36\n")
    page = scale.page(finished, 50_000, 12.5, 103)
    # 320 times the pixels; 103 dates for 4; 2 + 2 · 101 pairs for 5
    assert "| phase linking | pixel date | 82 | 500 | 0.099 |" in page
    assert "| unwrapping of linked phases | pixel linked pair | 650 | 500 | 0.065 |" in page
    assert "interferograms" not in page and "203 pairs of linked phases here" in page


def test_a_run_of_both_estimators_tells_of_each(finished):
    """Three interferograms beside five pairs of linked phases: 500 and 203 of the large area."""
    (finished / "benchmarks/unwrap").rename(finished / "benchmarks/unwrap_linked")
    for name in ("deformation/linked", "deformation/sbas/unwrapped", "benchmarks/unwrap_beside"):
        (finished / name).mkdir(parents=True)
    for name in ("link_phases_20210109", "unwrap_beside/a_b", "invert_beside"):
        (finished / f"benchmarks/{name}.tsv").write_text("s\tmax_rss\tcpu_time\n40\t500\t36\n")
    for pair in ("a_b", "b_c", "c_d"):
        (finished / f"deformation/sbas/unwrapped/{pair}.tif").write_bytes(b"0" * 1000)
    (finished / "deformation/sbas/timeseries.nc").write_bytes(b"0" * 4000)
    assert cost.size_of(finished) == cost.Size(1e6, 4, 3, 5, 0)
    both, linked, sbas = (
        scale.page(finished, 50_000, 12.5, 103, estimator=name) for name in (None, "phase_linking", "sbas")
    )
    formed = "| interferograms and unwrapping | pixel pair | 533 | 500 | 0.16 |"
    unwrapped = "| unwrapping of linked phases | pixel linked pair | 650 | 500 | 0.065 |"
    assert formed in both and unwrapped in both and "203 pairs of linked phases and 500 interferograms here" in both
    assert unwrapped in linked and "| inversion |" not in linked and "--estimator phase_linking" in linked
    assert formed in sbas and "linked phases |" not in sbas and "| inversion | pixel pair; disk: pixel date |" in sbas


def test_an_estimator_that_did_not_run_is_asked_for(finished):
    with pytest.raises(InputError, match=r"was not run by phase_linking; run it with deformation\.estimator"):
        scale.page(finished, 1, 10, 5, estimator="phase_linking")
