"""The printed summary: two pages, and distances measured on it are those of the raster."""

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import rasterio
from scipy import ndimage

from helpers.report_browser import CHROMIUM
from slipmap import __version__
from slipmap.errors import InputError
from slipmap.report import printing

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")


@pytest.fixture
def area(valley):
    return valley


@needs_browser
def test_distances_on_the_printed_summary_are_those_of_the_raster(area):
    """Between the two landslides, measured by the printed scale bar, within 1 %."""
    pdf = printing.run("valley", root=area)
    pages = pypdfium2.PdfDocument(pdf)
    assert len(pages) == 2
    picture = np.asarray(pages[0].render(scale=4).to_pil().convert("RGB")).astype(int)
    dark = (picture < 40).all(axis=2)
    pixels, bar = max((max(run_lengths(row), default=0), i) for i, row in enumerate(dark))
    metres = float(re.search(r"(\d+) m\s", pages[0].get_textpage().get_text_range())[1])
    with rasterio.open(area / "results/valley/maps/rs_dr/probability.tif") as source:
        real, size = two(source.read(1) > 0.9), source.res[0]
    red = (picture[..., 0] > 45) & (picture[..., 1] < 15) & (picture[..., 2] < 15)  # under shading of any strength
    printed = two(ndimage.binary_opening(red[:bar], iterations=3))  # the legend is below the bar
    assert np.hypot(*printed) * metres / pixels == pytest.approx(np.hypot(*real) * size, rel=0.01)
    assert printed[0] / printed[1] == pytest.approx(real[0] / real[1], rel=0.01)  # the right aspect


def run_lengths(row):
    """Lengths of the runs of true values."""
    return np.diff(np.flatnonzero(np.diff(np.pad(row, 1))))[::2]


def two(mask):
    """(rows, columns) between the middles of the two largest patches of a mask."""
    labels, count = ndimage.label(mask)
    largest = np.argsort(ndimage.sum_labels(mask, labels, range(1, count + 1)))[-2:] + 1
    one, other = ndimage.center_of_mass(mask, labels, sorted(largest))
    return np.subtract(other, one)


@needs_browser
def test_the_pdf_says_verdict_places_where_not_to_use_it_and_what_it_comes_from(area):
    pages = pypdfium2.PdfDocument(printing.run("valley", root=area, out=area / "a.pdf"))
    first, second = (" ".join(page.get_textpage().get_text_range().split()) for page in pages)
    both = first + second
    for number, page in enumerate((first, second), 1):
        assert "SIMULATED DATA" in page and f"slipmap {__version__}: valley" in page and f"page {number} of 2" in page
    assert f"Printed {datetime.now(UTC):%Y-%m-%d}" in second and "What this does not say" in second
    assert "For screening only (of simulated ground)" in first and "landslides outlined" in first and "moving" in first
    assert "Look at these first" in both and "Landslide 2" in both and "Do not use it" in both
    assert "simulated by slipmap from seed" in both and "not evidence about any real slope" in second


def test_without_a_report_or_a_browser_it_says_so_in_one_sentence(area, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="run the workflow for valley first"):
        printing.run("valley", root=tmp_path)
    monkeypatch.setattr(printing, "browser", lambda: None)
    with pytest.raises(InputError, match="no Chromium, Chrome or Edge is on the path"):
        printing.run("valley", root=area)
    assert printing.page_of("valley", area) == Path(area / "results/valley/report/index.html")
    assert not list((area / "results/valley/report").glob(".*pdf"))
