"""How models compare on the page, and the words for factors."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd

from helpers.report_samples import GRID, run_settings, write_area
from slipmap.factors import catalogue
from slipmap.io import raster
from slipmap.planning.files import reported_files
from slipmap.report import comparison, layers, points, words
from slipmap.report.sources import Given, gather


def lines(svg):
    """The curves of a chart: an array (points, 2) each, y upwards."""
    found = re.findall(r'<polyline points="([^"]*)"', svg)
    return [np.array([[float(v) for v in pair.split(",")] for pair in line.split()]) * [1, -1] for line in found]


def test_losses_are_one_line_a_seed_and_nothing_for_one_experiment(tmp_path):
    table = pd.DataFrame({"experiment": ["a"] * 4 + ["b"] * 2, "seed": [0, 0, 1, 1, 0, 0], "epoch": [1, 2] * 3})
    table.assign(training_loss=1.0, validation_loss=[3, 1, 3, 2, 3, 0]).to_csv(tmp_path / "losses.csv", index=False)
    (drawn,) = comparison.losses({"losses.csv": tmp_path / "losses.csv"})
    ends = [line[-1, 1] for line in lines(drawn["svg"])]
    assert len(ends) == 3 and ends[1] > ends[0] > ends[2]  # losses of 2, 1 and 0
    table[:4].assign(validation_loss=1.0).to_csv(tmp_path / "losses.csv", index=False)
    assert comparison.losses({"losses.csv": tmp_path / "losses.csv"}) == [] == comparison.losses({})


def test_sizes_count_the_landslides_that_are_as_large_or_larger(tmp_path):
    """Five of 100, one of 10,000: the curve falls from six to one between them."""
    pd.DataFrame({"source": "inventory", "area": [1e4] + [1e2] * 5}).to_csv(tmp_path / "sizes.csv", index=False)
    (drawn,) = comparison.sizes({"sizes.csv": tmp_path / "sizes.csv"}, {})
    (curve,) = lines(drawn["svg"])
    small, large = curve[curve[:, 0] == curve[:, 0].min(), 1], curve[curve[:, 0] == curve[:, 0].max(), 1]
    step = large.max() - large.min()  # one landslide
    np.testing.assert_allclose((small.max() - large.min()) / step, 6, atol=0.05)
    known = SimpleNamespace(seeds={"seed_0": {"record": {"pixel_size": [10.0, 10.0]}}})
    (hectares,) = comparison.sizes({"sizes.csv": tmp_path / "sizes.csv"}, {"rs": known})
    assert ">0.01<" in hectares["svg"] and ">1<" in hectares["svg"] and "area (ha)" in hectares["svg"]
    np.testing.assert_allclose(lines(hectares["svg"])[0], curve, atol=0.2)
    assert ">100<" in drawn["svg"] and ">10\u202f000<" in drawn["svg"] and "area (pixels)" in drawn["svg"]


def test_every_factor_has_words():
    names = [record.name for record in catalogue.records() if "{" not in record.name]
    assert len(names) > 20 and not any("_" in words.factor(name) for name in names)
    assert words.factor("aspect_sin") == "aspect, east part"


def test_fading_is_a_layer_where_it_was_asked_for_alone(tmp_path):
    write_area(tmp_path, optical=False)
    run, path = run_settings(experiments=False, simulate=False), tmp_path / "results/valley/deformation/fading.tif"
    for fading, there in ((np.nan, False), (0.5, True)):
        raster.write(path, GRID, np.full(GRID.shape, fading, np.float32), bands=["f"], units="mm/yr", long_name="f")
        files = [name for name in reported_files(run, "valley") if (tmp_path / name).exists()]
        made = layers.make_layers(gather("valley", run, Given(files, tmp_path)), GRID)
        assert ("fading" in [layer.id for layer in made]) == there


def test_only_reliable_places_have_a_series_in_the_report(tmp_path):
    """Columns below 8 are not reliable in the sample."""
    write_area(tmp_path, optical=False)
    found = points.histories(tmp_path / "results/valley/deformation/timeseries.nc", GRID)
    columns = [item["at"][0] for item in found["items"]]
    assert min(columns) > 8 and len(columns) > 500
    assert all(item["fact"].endswith("± 1.5 mm/yr, temporal coherence 0.90") for item in found["items"])
