"""How many pixels make an active area: more than one bad phase, averaged into its neighbours, can make stand out."""

import numpy as np
import pytest

from slipmap.config import parse_config
from slipmap.config.motion import ActiveAreaSettings

GRID = {"crs": "EPSG:32632", "resolution": 10.0, "bounds": [500000.0, 5000000.0, 501000.0, 5001000.0]}


def least(deformation, level="slc", **given):
    sentinel1 = {"level": level, "path": "stack"}
    area = {"grid": GRID, "inputs": {"sentinel1": sentinel1}, "deformation": deformation, "active_areas": given}
    return parse_config({"areas": {"valley": area}}).areas["valley"].active_areas.min_pixels


@pytest.mark.parametrize(("window", "falling", "count"), [(1, True, 5), (3, True, 5), (5, True, 13), (5, False, 13)])
def test_pixels_that_share_half_their_average(window, falling, count):
    """Against averages of white noise: the squared correlation of two is what they share of their variance."""
    assert ActiveAreaSettings().for_average(window, falling=falling).min_pixels == count
    row = np.convolve(np.ones(window // 2 + 1), np.ones(window // 2 + 1)) if falling else np.ones(window)
    kernel = np.outer(row, row)
    spectrum = np.abs(np.fft.fft2(kernel, (64, 64))) ** 2
    correlation = np.fft.ifft2(spectrum).real
    assert count == max(5, int((correlation / correlation[0, 0] >= 0.5 - 1e-9).sum()))


def test_a_config_decides_by_its_estimator_and_its_windows():
    assert least({}) == 5 and least({"estimator": "phase_linking"}) == 13
    assert least({"estimator": "phase_linking", "phase_linking": {"window": 3}}) == 5
    assert least({"estimator": "phase_linking"}, min_pixels=7) == 7
    assert least({}, level="unwrapped") == 5
