"""Series with a standard deviation for each date (`deformation.date_std`): the band of the charts, the CSV files."""

import threading

import numpy as np
import pytest
import xarray as xr

from helpers.report_browser import CHROMIUM, Browser
from helpers.report_samples import DATES, build_report, run_settings, write_area
from slipmap.viewer.server import Viewer
from slipmap.viewer.shown import load

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
    pytest.mark.xdist_group("report_browser"),
]
STD = 0.5 + 1.5 * np.arange(len(DATES))  # mm, grows from date to date
# keeps what is drawn and what is saved
WATCH = """(() => {
  window.drawn = []; window.saved = [];
  const plot = window.uPlot, make = URL.createObjectURL;
  window.uPlot = new Proxy(plot, { construct: (of, given) => { drawn.push(given[1]); return new of(...given); } });
  URL.createObjectURL = (blob) => { saved.push(blob); return make(blob); };
})()"""
SAID = "document.getElementById('panel').innerText"
PER_DATE, SCATTER = "the band is ± one standard deviation of each date", "the band is ± the scatter about the line"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("date_std")
    write_area(folder)
    path = folder / "results/valley/deformation/timeseries.nc"
    with xr.open_dataset(path, engine="h5netcdf") as cube:
        cube = cube.load()
    cube["displacement_std"] = cube["displacement"] * 0 + xr.DataArray(STD.astype(np.float32), dims="time")
    cube.to_netcdf(path, engine="h5netcdf")
    build_report(run_settings(), folder, folder / "index.html")
    return folder


def look(browser, column, row):
    browser.evaluate("drawn.length = 0")
    browser.evaluate(f"slipmap.inspect(slipmap.at({column}, {row}))")
    browser.wait(f"{SAID}.includes('standard deviation of each date') && drawn.length > 0")


def band(browser):
    """Half of the band of the last chart and its middle, mm."""
    _, high, low, *_, middle = browser.evaluate("drawn.at(-1)")
    return (np.array(high) - low) / 2, np.array(middle)


def saved(browser, button):
    browser.evaluate(f"[...document.querySelectorAll('#panel button')].find(b => b.innerText === '{button}').click()")
    return [line.split(",") for line in browser.evaluate("saved.at(-1).text()").splitlines()]


def test_the_report_draws_and_saves_the_spread_of_each_date(root, chromium):
    chromium.become(1440, 900)
    chromium.open(root / "index.html", "#explore")
    chromium.evaluate(WATCH)
    look(chromium, 60.5, 50.5)
    assert PER_DATE in chromium.evaluate(SAID)
    half, middle = band(chromium)
    np.testing.assert_allclose(half, STD, atol=0.051)  # one digit
    head, *rows = saved(chromium, "Series as CSV")
    assert head == ["date", "displacement_mm", "displacement_std_mm"]
    assert [row[0] for row in rows] == [f"{day}" for day in DATES]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float).T, [middle, STD], atol=0.051)
    chromium.evaluate("slipmap.select(slipmap.listed()[0])")  # the mean of a landslide has the scatter about its line
    assert SCATTER in chromium.evaluate(SAID)
    assert saved(chromium, "Series as CSV")[1][2:] in ([""], [])
    assert chromium.complaints == []


def test_the_viewer_draws_and_saves_the_spread_of_each_date(root):
    """Of two places each its own; against a moved reference √2 of it, as the two do not depend on each other."""
    server = Viewer(load("valley", run_settings(), root), port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Browser(1440, 900) as browser:
            browser.send("Page.navigate", url=server.url)
            browser.ready()
            browser.evaluate(WATCH)
            look(browser, 60.5, 50.5)
            np.testing.assert_allclose(band(browser)[0], STD, atol=0.051)
            np.testing.assert_allclose([float(r[2]) for r in saved(browser, "Series as CSV")[1:]], STD, atol=0.051)
            browser.evaluate("slipmap.mode('compare'); slipmap.tools.click(slipmap.at(35.5, 25.5))")
            browser.wait(f"{SAID}.includes('Two places')")
            head, *rows = saved(browser, "Save as CSV")
            assert head == ["date", "first_mm", "first_std_mm", "second_mm", "second_std_mm"]
            np.testing.assert_allclose([[float(row[2]), float(row[4])] for row in rows], np.c_[STD, STD], atol=0.051)
            browser.evaluate("slipmap.mode('reference'); slipmap.tools.click(slipmap.at(60.5, 50.5))")
            browser.wait("slipmap.reference() !== null")
            look(browser, 55.5, 10.5)
            np.testing.assert_allclose(band(browser)[0], np.sqrt(2) * STD, atol=0.08)
            assert PER_DATE in browser.evaluate(SAID) and browser.complaints == []
    finally:
        server.shutdown()
        server.server_close()
