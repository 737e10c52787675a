"""Two velocities side by side: numbers against NumPy on rasters whose errors are known; what the page says of them."""

import numpy as np
import pytest

from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.report import estimators
from slipmap.report.histogram import Histogram

GRID = Grid.from_bounds("EPSG:32632", 10, (0, 0, 6000, 4000))  # 600 x 400


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Linked: all but 50 columns reliable, half the error; both with a reference that is off, by 3 and by −1 mm/yr."""
    folder, rng = tmp_path_factory.mktemp("velocities"), np.random.default_rng(1)
    truth = np.where(np.arange(600) < 100, -20.0, 0.0) * rng.uniform(0.8, 1.2, GRID.shape)
    values, files = {"truth": truth}, {}
    for name, columns, error, off in (("phase_linking", 550, 1.0, 3.0), ("sbas", 300, 2.0, -1.0)):
        mask = np.broadcast_to(np.arange(600) < columns, GRID.shape).astype(float)
        velocity = truth * (0.9 if name == "sbas" else 1.0) + off + rng.normal(0, error, GRID.shape)
        files[name] = {}
        for kind, array in (("velocity", velocity), ("mask", mask)):
            files[name][kind] = folder / f"{name}_{kind}.tif"
            raster.write(files[name][kind], GRID, array, bands=[kind], units="1", long_name=kind)
            values[name, kind] = array
    raster.write(folder / "truth.tif", GRID, truth, bands=["v"], units="mm/yr", long_name="truth")
    return files, folder / "truth.tif", values


def test_each_is_judged_where_it_is_reliable_without_the_error_of_its_reference(made):
    files, truth, _ = made
    table = estimators.compare(files, truth)["estimators"].set_index("estimator")
    assert table["reliable_share"].tolist() == pytest.approx([550 / 600, 300 / 600])
    assert table["movers"].tolist() == [40_000, 40_000] and table["movers_reliable_share"].tolist() == [1, 1]
    linked, sbas = table.loc["phase_linking"], table.loc["sbas"]
    assert linked["rms"] == pytest.approx(1.0, abs=0.02) and linked["slope"] == pytest.approx(1, abs=0.02)
    # of 300 columns 100 move and lack a tenth of 20 mm/yr
    assert sbas["movers_rms"] == pytest.approx(np.hypot(2, 2 * np.sqrt(1 + 0.4**2 / 12)), abs=0.03)
    assert sbas["rms"] == pytest.approx(np.sqrt((200 * 4 + 100 * sbas["movers_rms"] ** 2) / 300), abs=0.02)
    assert sbas["slope"] == pytest.approx(0.9, abs=0.02)


def test_without_a_truth_both_are_compared_with_each_other(made):
    files, _, values = made
    tables = estimators.compare(files, None)
    assert list(tables["estimators"].columns) == ["estimator", "reliable_share"]
    both = np.arange(600) < 300
    away = (values["phase_linking", "velocity"] - values["sbas", "velocity"])[:, both]
    told = tables["estimator_difference"].iloc[0]
    assert told["both_reliable"] == away.size and told["median"] == pytest.approx(np.median(away), abs=0.02)
    spread = 1.4826 * np.median(np.abs(away - np.median(away)))
    assert told["scatter"] == pytest.approx(spread, abs=0.03)
    assert tables["estimator_difference"]["share"].sum() == pytest.approx(1, abs=0.001)


def test_the_page_says_both(made):
    files, truth, _ = made
    shown = estimators.section(estimators.compare(files, truth))
    assert shown["title"] == "Linked phases beside SBAS" and "120000 pixels" in shown["text"][0]
    assert "simulated truth" in shown["text"][1] and len(shown["table"]["head"]) == 6
    bare = estimators.section(estimators.compare(files, None))
    assert len(bare["text"]) == 1 and len(bare["table"]["head"]) == 2
    assert "<svg" in bare["charts"][0]["svg"] and estimators.section({}) is None


def test_a_histogram_has_the_median_and_the_scatter_of_its_values():
    values, made = np.random.default_rng(2).normal(5, 3, 100_001), Histogram()
    for part in np.array_split(values, 7):
        made.add(part)
    assert made.median() == pytest.approx(np.median(values), abs=0.01) and made.scatter() == pytest.approx(3, abs=0.03)
    assert np.isnan(Histogram().median()) and np.isnan(Histogram().scatter())
