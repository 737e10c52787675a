"""The network of interferograms in the report: what counts, what was left out, and the colour of coherence."""

import re

import pandas as pd
import pytest

from slipmap.report import pairs

DATES = ["2021-01-09", "2021-02-02", "2021-02-26", "2021-03-22"]


@pytest.fixture
def network():
    """Three pairs in use, one that was left out as it was read, one for its coherence."""
    return pd.DataFrame(
        {
            "pair": ["a", "b", "c", "gap", "low"],
            "reference": [DATES[0], DATES[1], DATES[2], DATES[0], DATES[1]],
            "secondary": [DATES[1], DATES[2], DATES[3], DATES[3], DATES[3]],
            "temporal_baseline_days": [24, 24, 24, 72, 48],
            "perpendicular_baseline_m": [10.0, 20.0, -30.0, None, 400.0],
            "mean_coherence": [0.9, 0.6, None, None, None],
            "left_out": [None, None, None, "no pixels", None],
        }
    )


REFERENCE = {"pairs_left_out": {"low": 0.1}, "pair_coherence": {"c": 0.3}}
STACK = {"dates": DATES, "perpendicular_baselines": [0.0, 10.0, 30.0, 0.0]}


def test_pairs_that_were_left_out_are_not_counted(network):
    facts = dict(pairs.facts(network, REFERENCE))
    assert facts["interferograms"] == "3" and facts["left out"] == "2 pairs"
    assert facts["longest pair"] == "24 days" and facts["longest perpendicular baseline"] == "30 m"


def test_the_plot_shows_coherence_left_out_pairs_and_the_first_date(network):
    svg = pairs.chart_of(network, STACK, REFERENCE)
    lines = re.findall(r'<line class="thin" style="([^"]*)"', svg)
    solid, dashed = [s for s in lines if "dasharray" not in s], [s for s in lines if "dasharray" in s]
    assert len(solid) == 3 and len(set(solid)) == 3 and len(dashed) == 2
    light = [sum(int(colour[i : i + 2], 16) for i in (8, 10, 12)) for colour in solid]  # stroke:#rrggbb;
    assert light == sorted(light, reverse=True), "lighter where more coherent"
    assert svg.count('r="7"') == 1
    said = pairs.caption(network, REFERENCE)
    assert "from 0.10 (dark) to 0.90 (light)" in said and "left out (gap, low)" in said


def test_a_network_without_coherence_is_grey(network):
    bare = network.drop(columns="left_out").assign(mean_coherence=None)
    assert not pairs.coherence(bare, None).notna().any() and pairs.used(bare, None).all()
    assert "style=" not in "".join(re.findall(r'<line class="thin"[^>]*>', pairs.chart_of(bare, STACK, None)))
    assert "Colour" not in pairs.caption(bare, None)


def test_pairs_of_linked_phases_are_called_so(network):
    said = pairs.caption(network, None, linked=True)
    assert said.startswith("The network of linked phases") and "interferogram" not in said and "coherence" not in said
