"""`slipmap view`: tiles and pixels against the rasters, and the whole driven in headless Chromium."""

import io
import json
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
import rasterio
import xarray as xr
from PIL import Image

from helpers.report_browser import CHROMIUM, Browser
from helpers.report_samples import DATES, GRID, run_settings, write_area
from slipmap.cli import main
from slipmap.errors import InputError
from slipmap.viewer.pixels import Pixels
from slipmap.viewer.server import HOST, Viewer
from slipmap.viewer.shown import load
from slipmap.viewer.tiles import tile

LEGEND = {"kind": "ramp", "colours": ["#000000", "#404040", "#808080", "#c0c0c0"], "min": 0.0, "max": 1.0, "units": ""}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    write_area(folder)
    return folder


@pytest.fixture(scope="module")
def shown(root):
    return load("valley", run_settings(), root)


@pytest.fixture(scope="module")
def viewer(shown):
    server = Viewer(shown, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_tile_is_the_raster_in_the_colours_of_the_legend(root):
    """At zoom 0 a pixel of a tile is one of the grid, at zoom 1 a quarter of one; outside the area it is clear."""
    path = root / "results/valley/maps/rs/probability.tif"
    with rasterio.open(path) as source:
        values = source.read(1)
    level = np.clip(values * 4, 0, 3).astype(int)
    plain, fine, away = (
        np.asarray(Image.open(io.BytesIO(tile(path, LEGEND, GRID, z, x, y))).convert("RGBA"))
        for z, x, y in ((0, 0, 0), (1, 0, 0), (0, 3, 3))
    )
    np.testing.assert_array_equal(plain[:80, :100, 0], np.array([0x00, 0x40, 0x80, 0xC0])[level])
    assert (plain[:80, :100, 3] == 255).all() and not plain[80:, :, 3].any() and not plain[:, 100:, 3].any()
    np.testing.assert_array_equal(fine[:160, :200, 0], plain[:80, :100, 0].repeat(2, 0).repeat(2, 1))
    assert not away[..., 3].any()


def test_a_moved_reference_is_taken_off_before_colouring(root):
    path = root / "results/valley/deformation/velocity.tif"
    with rasterio.open(path) as source:
        values = source.read(1)
    legend = LEGEND | {"min": -40.0, "max": 40.0}
    picture = np.asarray(Image.open(io.BytesIO(tile(path, legend, GRID, 0, 0, 0, minus=12.5))).convert("RGBA"))
    level = np.clip((values - 12.5 + 40) / 80 * 4, 0, 3).astype(int)
    np.testing.assert_array_equal(picture[:80, :100, 0], np.array([0x00, 0x40, 0x80, 0xC0])[level])


def test_values_and_series_are_those_of_the_files(root, shown):
    pixels = Pixels(shown)
    with rasterio.open(root / "results/valley/factors/slope.tif") as source:
        assert pixels.value("factor.slope", 37.5, 30.5) == pytest.approx(source.read(1)[30, 37])
    found = pixels.series(37.5, 30.5)
    with xr.open_dataset(root / "results/valley/deformation/timeseries.nc", engine="h5netcdf") as cube:
        np.testing.assert_allclose(found["series"], cube["displacement"][:, 30, 37], atol=0.051)
    with rasterio.open(root / "results/valley/deformation/velocity.tif") as source:
        assert found["velocity"] == pytest.approx(source.read(1)[30, 37])
    assert found["dates"] == [f"{day}" for day in DATES] and found["velocity_std"] == pytest.approx(1.5)
    assert found["facts"][0][1].endswith("± 1.5 mm/yr")
    assert found["facts"][1:] == [["Temporal coherence", "0.90"], ["Reliability of the velocity", "reliable"]]
    assert pixels.series(3, 30)["facts"][-1][1] == "low coherence"  # columns below 8
    assert (
        pixels.text("inventory", 35, 30) == "landslide in the inventory" and pixels.value("factor.slope", -5, 3) is None
    )


def test_a_profile_runs_from_end_to_end(root, shown):
    found = Pixels(shown).profile("velocity", (10.5, 30.5), (90.5, 60.5))
    assert found["distance"][0] == 0 and found["distance"][-1] == pytest.approx(np.hypot(800, 300), abs=0.1)
    with rasterio.open(root / "results/valley/deformation/velocity.tif") as source:
        values = source.read(1)
    ends = [found["values"][0], found["values"][-1]]
    assert ends == pytest.approx([values[30, 10], values[60, 90]]) and set(found["std"]) == {1.5}


def test_only_this_machine_is_answered(viewer):
    assert viewer.server_address[0] == "127.0.0.1"
    asked = urllib.request.Request(viewer.url, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(asked)
    for path, status in (("nothing", 404), ("tile/none/0/0/0.png", 400), ("series?column=x&row=2", 400)):
        with pytest.raises(urllib.error.HTTPError, match=str(status)):
            urllib.request.urlopen(viewer.url + path)
    with urllib.request.urlopen(viewer.url + "values?column=35&row=30&layers=inventory") as answer:
        assert json.load(answer) == ["landslide in the inventory"]


def test_a_second_one_on_the_same_port_is_told_so(viewer, shown):
    with pytest.raises(InputError, match=f"port {viewer.server_port} of this machine is taken, perhaps by another"):
        Viewer(shown, port=viewer.server_port)


def test_the_command_says_what_lacks_in_one_sentence(tmp_path, repository, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["view", "nowhere", "--no-browser", "--config", str(repository / "config/config.yaml")]) == 1
    assert capsys.readouterr().err.strip() == "slipmap: area nowhere is not in the config; it has demo."
    with pytest.raises(InputError, match="nothing of valley is finished here yet"):
        load("valley", run_settings(), tmp_path)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
@pytest.mark.xdist_group("report_browser")
def test_driven_in_a_browser(viewer):
    """Click, series, comparison, moved reference, profile, what is saved; no request leaves the machine."""
    said = "document.getElementById('panel').innerText"
    with Browser(1440, 900) as browser:
        browser.send("Page.navigate", url=viewer.url)
        browser.ready()
        browser.evaluate(
            "(() => { window.saved = []; const make = URL.createObjectURL;"
            "URL.createObjectURL = blob => { saved.push(blob); return make(blob); }; })()"
        )
        browser.wait("[...document.querySelectorAll('.leaflet-tile')].some(t => t.naturalWidth === 256)")
        click(browser, 34.5, 30.5, "Look")  # inside the outline: the landslide itself
        browser.wait(f"{said}.includes('Landslide 1')")
        click(browser, 60.5, 50.5)
        browser.wait(f"{said}.includes('Temporal coherence')")
        assert "± 1.5 mm/yr" in browser.evaluate(said) and "straight line" in browser.evaluate(said)
        still = viewer.pixels.value("velocity", 60.5, 50.5)
        click(browser, 35.5, 25.5, "Compare with")
        browser.wait(f"{said}.includes('Two places')")
        text = browser.evaluate(said)
        assert "first: straight line" in text and "second: straight line" in text
        marks = "Object.values(slipmap.map._layers).filter(l => l.options.color === '#000000' && l.getLatLng)"
        marked = browser.evaluate(f"{marks}.map(l => slipmap.place(l.getLatLng()))")
        np.testing.assert_allclose(marked, [[60.5, 50.5], [35.5, 25.5]], atol=0.5)
        assert save(browser)[0] == "date,first_mm,second_mm" and len(save(browser)) == len(DATES) + 1
        click(browser, 60.5, 50.5, "Move the reference")
        browser.wait("slipmap.reference() !== null")
        assert any("minus=" in url for url in wait_for_tiles(browser, "velocity"))
        click(browser, 55.5, 10.5)
        browser.wait(f"{said}.includes('against the reference')")
        against = viewer.pixels.value("velocity", 55.5, 10.5) - still
        line = next(part for part in browser.evaluate(said).splitlines() if "against the reference" in part)
        assert f"{against:.1f} ± {np.hypot(1.5, 1.5):.1f}".replace("-", "−") in line
        click(browser, 10.5, 30.5, "Profile")
        click(browser, 90.5, 30.5)
        browser.wait(f"{said}.includes('Profile: Velocity')")
        line = f"{marks.replace('getLatLng', 'getLatLngs')}.map(l => l.getLatLngs().map(slipmap.place))[0]"
        np.testing.assert_allclose(browser.evaluate(line), [[10.5, 30.5], [90.5, 30.5]], atol=0.5)  # black on white
        rows = [line.split(",") for line in save(browser)]
        assert rows[0] == ["distance_m", "value", "std"] and float(rows[-1][0]) == pytest.approx(800, abs=12)
        assert float(rows[1][2]) == pytest.approx(np.hypot(1.5, 1.5))
        assert browser.violations() == [] and browser.complaints == []
        assert all(
            url.startswith((f"http://{HOST}:{viewer.server_port}/", "data:", "blob:")) for url in browser.requests
        )


def click(browser, column, row, button=None):
    """Choose what a click does, then click the place; zoomed so that a pixel of the grid is several of the window."""
    if button is not None:
        browser.evaluate(
            f"[...document.querySelectorAll('#modes button')].find(b => b.innerText === '{button}').click()"
        )
    x, y = browser.evaluate(
        "(() => { const b = slipmap.map.getContainer().getBoundingClientRect(),"
        f"p = slipmap.map.latLngToContainerPoint(slipmap.at({column}, {row}));"
        "return [b.left + p.x, b.top + p.y]; })()"
    )
    browser.click(x, y)


def save(browser):
    """Lines of the CSV that the panel's button saves."""
    browser.evaluate("document.getElementById('saved').click()")
    return browser.evaluate("saved.at(-1).text()").splitlines()


def wait_for_tiles(browser, layer):
    browser.evaluate(f"document.querySelector('#themes input[value=\"{layer}\"]').click()")
    path = f"tile/{layer}/"
    browser.wait(f"[...document.querySelectorAll('.leaflet-tile')].some(t => t.src.includes('{path}'))")
    return browser.evaluate("[...document.querySelectorAll('.leaflet-tile')].map(t => t.src)")
