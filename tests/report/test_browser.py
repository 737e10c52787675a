"""The report as a reader meets it: opened from disk in headless Chromium, layers changed, a landslide clicked."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from helpers.report_browser import CHROMIUM
from helpers.report_samples import NOTE
from slipmap.colours import CASING

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
    pytest.mark.xdist_group("report_browser"),
]
SHOWN = "slipmap.listed().map(l => l.id)"
PICKED = "document.getElementById('panel').innerText"


@pytest.fixture(scope="module")
def report(valley):
    return valley / "results" / "valley" / "report" / "index.html"


@pytest.fixture(scope="module", params=[(1440, 900, False), (390, 844, True)], ids=["desktop", "phone"])
def browser(request, report, chromium):
    chromium.become(*request.param)
    chromium.open(report, "#explore")
    return chromium


@pytest.fixture
def explore(browser):
    """Explore with all of the area in view, no filter, nothing laid over."""
    browser.evaluate("location.hash = '#explore'")
    browser.wait("typeof slipmap === 'object' && !document.getElementById('explore').hidden")
    browser.evaluate("slipmap.only(''); slipmap.fit()")
    browser.frame()
    return browser


def on_screen(browser, col, row):
    """Where a place of the area (in its pixels) is in the window."""
    return browser.evaluate(
        "(() => { const box = slipmap.map.getContainer(); box.scrollIntoView({block: 'center'});"
        f"const b = box.getBoundingClientRect(), p = slipmap.map.latLngToContainerPoint(slipmap.at({col}, {row}));"
        "return [b.left + p.x, b.top + p.y]; })()"
    )


def painted(browser):
    """The middle of the map as it is painted: (rows, cols, 3)."""
    (x0, y0), (x1, y1) = on_screen(browser, 20, 15), on_screen(browser, 90, 70)
    browser.evaluate("new Promise(done => setTimeout(() => done(true), 200))")
    scroll = browser.evaluate("scrollY")
    clip = {"x": x0, "y": y0 + scroll, "width": x1 - x0, "height": y1 - y0, "scale": 1}
    data = browser.send("Page.captureScreenshot", format="png", clip=clip)["data"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(int)


def choose(browser, layer):
    browser.evaluate(f"document.querySelector('#themes input[value=\"{layer}\"]').click()")
    browser.frame()


def test_a_click_on_a_landslide_shows_its_attributes_and_its_displacement_history(explore):
    explore.click(*on_screen(explore, 37, 30))
    said = explore.evaluate(PICKED)
    assert "Landslide 1" in said and "2.00\u00a0ha" in said and "−30.2 ± 1.5\u00a0mm/yr" in said
    assert "no movement detected: 4.0 ± 3.0\u00a0mm/yr downslope; motion slower than 6 or faster than 210" in said
    assert "in the inventory" in said and "45.15" in said and "° N, 9.00" in said  # longitude 9: x = 500 000 m
    rate = float(said.split("straight line ")[1].split("\u00a0")[0].replace("−", "-"))
    assert rate == pytest.approx(-30, abs=0.15) and "scatter about it ± 0.0\u00a0mm" in said  # a straight line
    assert explore.evaluate("document.querySelectorAll('#panel .uplot canvas').length") == 1
    assert explore.evaluate("location.hash").startswith("#landslide=1")


def test_a_click_elsewhere_shows_coordinates_values_and_the_nearest_series(explore):
    explore.click(*on_screen(explore, 60, 50))
    said = explore.evaluate(PICKED)
    assert "Landslide" not in said.replace("Probability of landslide", "")
    east, north = (float(said.split(end)[0].split()[-1]) for end in (" E,", " N"))
    assert "N (m, EPSG:32632)" in said
    assert (east, north) == pytest.approx((500600, 5000300), abs=6) and "Probability of landslide" in said
    near = next(line for line in said.splitlines() if line.startswith("Nearest reliable series") and "\t" in line)
    assert " ± 1.5 mm/yr, temporal coherence 0.90" in near and "this place" not in said
    away = near.split(", ")[1].split("\t")[0]  # the chart is of that pixel, and says so
    assert away.endswith("m away") and f"Nearest reliable series in this file, {away}: straight line" in said
    assert "Reliability of the velocity\treliable" in said


def test_a_click_says_where_the_model_does_not_know_the_ground_whatever_is_shown(explore):
    explore.click(*on_screen(explore, 96, 50))
    assert "Where not to trust the map of rs_dr\toutside the ground it learnt from" in explore.evaluate(PICKED)
    explore.click(*on_screen(explore, 60, 50))
    assert "Where not to trust" not in explore.evaluate(PICKED)


def test_outlines_have_a_dark_edge_and_what_is_chosen_is_black_on_white(explore):
    explore.evaluate("slipmap.select(slipmap.listed()[0], true)")
    explore.frame()
    marks = "Object.values(slipmap.map._layers).filter(l => l.options.fill === false)"
    assert explore.evaluate(f"{marks}.map(l => [l.options.color, l.options.weight])") == [
        ["#ffffff", 8],
        ["#000000", 3],
    ]
    edge = [int(CASING[i : i + 2], 16) for i in (1, 3, 5)]
    counted = (
        "(() => { const c = document.querySelector('#map canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, "
        f"c.height).data, dark = {edge}; let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i + 3] === 255 && "
        "dark.every((v, j) => d[i + j] === v); return n; })()"
    )
    assert explore.evaluate(counted) > 50
    key = "[...document.querySelectorAll('#legend i.hollow')].map(i => i.parentNode.textContent)"
    assert explore.evaluate(key) == ["moving", "no movement detected"]


def test_the_value_at_a_place_is_read_back_from_the_colour(explore):
    choose(explore, "velocity")
    explore.click(*on_screen(explore, 55, 10))  # stable ground: within one step of the colour ramp of 0
    line = next(part for part in explore.evaluate(PICKED).splitlines() if part.startswith("Velocity in the line"))
    choose(explore, "rs_dr.probability")
    assert abs(float(line.split("≈")[1].split("mm")[0].replace("−", "-"))) < 4


def test_one_layer_is_shown_at_a_time_and_its_legend_with_it(explore):
    before = painted(explore)
    choose(explore, "factor.elevation")
    shown = painted(explore)
    assert np.abs(shown - before).mean() > 3
    legend = explore.evaluate("document.getElementById('legend').innerText")
    assert "Elevation" in legend and "Probability of landslide" not in legend
    assert explore.evaluate("document.querySelectorAll('.leaflet-left-pane img').length") == 1
    choose(explore, "rs_dr.probability")
    assert np.abs(painted(explore) - before).max() <= 2


def test_a_swipe_shows_one_layer_on_each_side(explore):
    alone = painted(explore)
    choose(explore, "factor.elevation")
    other = painted(explore)
    choose(explore, "rs_dr.probability")
    explore.evaluate(
        "(() => { const s = document.getElementById('second'); s.value = 'factor.elevation';"
        "s.dispatchEvent(new Event('change')); })()"
    )
    both = painted(explore)
    explore.evaluate(
        "(() => { const s = document.getElementById('second'); s.value = ''; s.dispatchEvent(new Event('change')); })()"
    )
    width = both.shape[1]
    left, right = slice(0, int(0.35 * width)), slice(int(0.65 * width), width)
    assert np.abs(both[:, left] - alone[:, left]).max() <= 2 and np.abs(both[:, right] - other[:, right]).max() <= 2


def test_the_wheel_scrolls_the_page_and_with_ctrl_it_zooms_where_it_turns(explore):
    x, y = on_screen(explore, 40, 40)
    zoom = explore.evaluate("slipmap.map.getZoom()")
    scrolled = explore.evaluate("scrollY")
    explore.wheel(x, y, 200)
    explore.wait(f"scrollY > {scrolled} || scrollY + innerHeight >= document.documentElement.scrollHeight - 1")
    assert explore.evaluate("slipmap.map.getZoom()") == zoom
    x, y = on_screen(explore, 40, 40)
    explore.evaluate(
        f"slipmap.map.getContainer().dispatchEvent(new WheelEvent('wheel', {{clientX: {x}, clientY: {y}, deltaY: -200,"
        "ctrlKey: true, bubbles: true, cancelable: true}))"
    )
    assert explore.evaluate("slipmap.map.getZoom()") > zoom
    assert on_screen(explore, 40, 40) == pytest.approx([x, y], abs=1.5)


def test_the_map_follows_the_mouse_and_the_arrow_keys(explore):
    x, y = on_screen(explore, 40, 40)
    explore.drag((x, y), (x + 40, y + 25))
    explore.wait("!slipmap.map.dragging.moving()")
    assert on_screen(explore, 40, 40) == pytest.approx([x + 40, y + 25], abs=1.5)
    explore.evaluate("slipmap.fit(); slipmap.map.getContainer().focus({preventScroll: true})")
    (x, y), key = on_screen(explore, 40, 40), {"key": "ArrowRight", "code": "ArrowRight", "windowsVirtualKeyCode": 39}
    for kind in ("keyDown", "keyUp"):
        explore.send("Input.dispatchKeyEvent", type=kind, **key)
    explore.wait(
        f"slipmap.map.latLngToContainerPoint(slipmap.at(40, 40)).x < {x} - "
        "slipmap.map.getContainer().getBoundingClientRect().left - 20"
    )


def test_the_scale_bar_is_as_long_as_it_says(explore):
    text, pixels = explore.evaluate(
        "(() => { const b = document.querySelector('.leaflet-control-scale-line');"
        "return [b.textContent, b.getBoundingClientRect().width]; })()"
    )
    number, unit = text.split()
    ground = float(number) * (1000 if unit == "km" else 1)
    (x0, _), (x1, _) = on_screen(explore, 0, 0), on_screen(explore, 100, 0)  # 100 pixels of 10 m
    assert pixels == pytest.approx(ground / 1000 * (x1 - x0), abs=1.5)


def test_the_map_goes_no_farther_out_than_the_area_and_keeps_it_in_view(explore):
    """An outline larger than the area would ask for more; one at the edge shows the area beside it, not blank paper."""
    whole = explore.evaluate("slipmap.map.getBoundsZoom(L.latLngBounds(slipmap.at(0, 0), slipmap.at(100, 80)))")
    explore.evaluate("slipmap.select({...slipmap.listed()[0], rings: [[[-40, -40], [140, -40], [140, 120]]]}, true)")
    assert explore.evaluate("slipmap.map.getZoom()") == pytest.approx(whole, abs=0.26)
    explore.evaluate("slipmap.select({...slipmap.listed()[0], rings: [[[0, 0], [4, 0], [4, 4]]]}, true)")
    corner = "slipmap.map.latLngToContainerPoint(slipmap.at(0, 0))"
    assert explore.evaluate(f"[{corner}.x, {corner}.y]") == pytest.approx([0, 0], abs=1.5)


def test_a_link_leads_to_a_landslide_and_the_buttons_to_the_next(explore):
    explore.evaluate("location.hash = '#landslide=2&map=rs_dr'")
    explore.wait("slipmap.chosen() && slipmap.chosen().id === 2")
    assert "Landslide 2" in explore.evaluate(PICKED) and "moving" in explore.evaluate(PICKED)
    link = explore.evaluate("document.querySelector('#panel a').href")
    assert link.startswith("https://www.openstreetmap.org/?mlat=45.15") and "mlon=9.009" in link
    explore.evaluate("[...document.querySelectorAll('#panel button')].find(b => b.textContent === 'Next').click()")
    assert explore.evaluate("slipmap.chosen().id") == 1 and "landslide=1" in explore.evaluate("location.hash")


def test_the_table_is_sorted_filtered_and_leads_to_the_map(explore):
    head = "[...document.querySelectorAll('#head button')].find(b => b.textContent.startsWith('Mean probability'))"
    explore.evaluate(f"{head}.click()")
    assert explore.evaluate(SHOWN) == [2, 1]  # 0.83, 0.91
    explore.evaluate(f"{head}.click()")
    assert explore.evaluate(SHOWN) == [1, 2]
    assert explore.evaluate("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    explore.evaluate("slipmap.only('moving')")
    assert explore.evaluate(SHOWN) == [2] and explore.evaluate("document.getElementById('count').innerText") == "1 of 2"
    explore.evaluate("slipmap.only('not in the inventory')")
    assert explore.evaluate(SHOWN) == [2]
    explore.evaluate("slipmap.only(''); document.querySelector('#rows tr[data-id=\"2\"] a').click()")
    assert explore.evaluate("slipmap.chosen().id") == 2


def test_the_filter_looks_at_what_the_table_shows_and_what_it_hides_is_no_longer_chosen(explore):
    """0.91 is the probability of the first, 24.5 the slope; 45.15 is in a place that no column shows."""
    write = "(text => {{ const w = document.getElementById('words'); w.value = text;"
    write = write.replace("{{", "{") + "w.dispatchEvent(new Event('input')); })"
    explore.evaluate("slipmap.select(slipmap.listed().find(l => l.id === 2))")
    explore.evaluate(f"{write}('0.91')")
    assert explore.evaluate(SHOWN) == [1] and explore.evaluate("slipmap.chosen()") is None
    assert "Landslide 2" not in explore.evaluate(PICKED) and "Choose an outline" in explore.evaluate(PICKED)
    explore.evaluate(f"{write}('45.15')")
    assert explore.evaluate(SHOWN) == []
    explore.evaluate(f"{write}('')")
    assert len(explore.evaluate(SHOWN)) == 2


def test_the_panel_begins_at_its_top_and_keeps_nothing_of_other_outlines(explore):
    explore.evaluate("document.getElementById('panel').style.maxHeight = '60px'")
    explore.evaluate("slipmap.select(slipmap.listed()[0]); document.getElementById('panel').scrollTop = 40")
    explore.evaluate("slipmap.select(slipmap.listed()[1])")
    assert explore.evaluate("document.getElementById('panel').scrollTop") == 0
    explore.evaluate("document.getElementById('panel').style.maxHeight = ''")
    other = "(name => { const w = document.getElementById('which'); w.value = name;"
    other += "w.dispatchEvent(new Event('change')); })"
    explore.evaluate(f"{other}('rs')")
    assert explore.evaluate("slipmap.chosen()") is None and "Choose an outline" in explore.evaluate(PICKED)
    explore.evaluate(f"{other}('rs_dr')")


def test_pins_and_outlines_of_the_summary_lead_to_explore(browser):
    browser.evaluate("location.hash = '#summary'")
    browser.wait("document.querySelectorAll('.overview a.pin').length === 2")
    browser.evaluate("document.querySelector('.overview a.pin').click()")
    browser.wait("typeof slipmap === 'object' && slipmap.chosen() && slipmap.chosen().id === 2")
    browser.evaluate("location.hash = '#summary'")
    path = "document.querySelector('.overview path[data-id=\"1\"]')"
    browser.wait(f"{path} && !document.getElementById('summary').hidden")
    browser.evaluate(f"{path}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    browser.wait("slipmap.chosen() && slipmap.chosen().id === 1")


@pytest.mark.parametrize("level", ["summary", "explore", "methods"])
def test_simulated_data_are_called_so_on_the_screen_at_every_level(browser, level):
    browser.evaluate(f"location.hash = '#{level}'")
    browser.wait(f"!document.getElementById('{level}').hidden")
    box = browser.evaluate(
        "(b => [b.left, b.top, b.right, b.bottom])(document.querySelector('nav .simulated').getBoundingClientRect())"
    )
    assert 0 <= box[0] < box[2] <= browser.width and 0 <= box[1] < box[3] <= 60
    assert browser.evaluate("document.querySelector('nav .simulated').innerText").upper().startswith("SIMULATED")


def test_what_the_table_shows_is_saved_as_csv(explore):
    text = explore.evaluate("slipmap.everything()").splitlines()
    assert text[0].startswith("landslide,motion,inventory,place,area_ha") and text[0].endswith("latitude,longitude")
    rows = {line.split(",")[0]: line for line in text[1:]}
    assert "moving,not in the inventory" in rows["2"] and len(rows) == 2


def test_a_close_up_shows_its_place(browser):
    """48 pixels of the area across, round column 74, row 64: its scale bar is that of 480 m."""
    browser.evaluate("location.hash = '#maps'")
    browser.wait("document.querySelectorAll('[data-at] .scale').length === 3")
    said = browser.evaluate(
        "[...document.querySelectorAll('[data-at]')].map(e => [e.clientWidth, e.clientHeight,"
        "e.querySelector('.scale span').textContent, e.querySelector('.scale i').getBoundingClientRect().width,"
        "e.querySelector('img').getBoundingClientRect().left - e.getBoundingClientRect().left])"
    )
    for width, height, text, bar, left in said:
        assert width == pytest.approx(height, abs=1)
        assert width / (bar / float(text.split()[0])) == pytest.approx(480, rel=0.01)
        assert left == pytest.approx(-(74 - 24) / 48 * width, abs=1)


def test_the_summary_says_verdict_numbers_and_places_on_the_first_screen(browser):
    browser.evaluate("location.hash = '#summary'")
    browser.wait("!document.getElementById('summary').hidden")
    for part in (".verdict", ".cards"):
        top = browser.evaluate(f"document.querySelector('{part}').getBoundingClientRect().top")
        assert 0 < top < browser.height
    assert browser.evaluate("document.querySelectorAll('.cards li').length") == 3
    browser.evaluate("document.querySelector('#places a').click()")  # the moving landslide first
    browser.wait("typeof slipmap === 'object' && slipmap.chosen() && slipmap.chosen().id === 2")


def test_nothing_is_wider_than_the_window(browser):
    for level in ("#summary", "#explore", "#methods"):
        browser.evaluate(f"location.hash = '{level}'")
        browser.wait(f"!document.querySelector('{level}').hidden")
        browser.evaluate("document.getElementById('all').click()")
        browser.frame()
        assert browser.evaluate("document.documentElement.scrollWidth") <= browser.width
        assert browser.evaluate("window.innerWidth") == browser.width  # a phone widens it for what does not fit


def test_the_note_stands_beside_the_scores(browser):
    browser.evaluate("location.hash = '#scores'")
    browser.wait("document.querySelector('#scores details').open")
    assert NOTE in browser.evaluate("document.getElementById('scores').innerText")


def test_nothing_is_fetched_and_the_console_is_silent(browser, report):
    assert [url for url in browser.requests if not url.startswith("data:")] == [report.resolve().as_uri()]
    assert browser.complaints == []
    blocked = browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')")
    assert blocked == "refused"
