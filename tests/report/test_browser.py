"""The report as a reader meets it: opened from disk in headless Chromium, layers toggled, a landslide clicked."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from helpers.report_browser import CHROMIUM, Browser
from helpers.report_samples import NOTE, build_report, run_settings, write_area

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)"),
    pytest.mark.xdist_group("report_browser"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    write_area(root)
    page = root / "index.html"
    build_report(run_settings(), root, page)
    return page


@pytest.fixture(scope="module", params=[(1280, 900, False), (390, 844, True)], ids=["desktop", "phone"])
def browser(request, report):
    with Browser(*request.param) as opened:
        opened.open(report)
        yield opened


def on_screen(browser, col, row):
    """Where a place of the area (pixels of the pictures) is in the window."""
    return browser.evaluate(
        f"(() => {{ const m = slipmap.map; m.canvas.scrollIntoView({{block: 'center', behavior: 'instant'}});"
        f"const b = m.canvas.getBoundingClientRect(); const [x, y] = m.toScreen({col}, {row});"
        "return [b.left + x, b.top + y]; })()"
    )


def painted(browser):
    """The map as it is painted: (rows, cols, 4)."""
    browser.frame()
    uri = browser.evaluate("slipmap.map.canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA"))


def test_a_click_on_a_landslide_shows_its_attributes_and_its_displacement_history(browser):
    browser.evaluate("slipmap.map.fit()")
    browser.frame()
    x, y = on_screen(browser, 37, 30)
    browser.click(x, y)
    said = browser.evaluate("document.getElementById('picked').innerText")
    assert "Landslide 1" in said and "20\u202f000\u00a0m²" in said and "−30.2\u00a0mm/yr" in said and "matched" in said
    assert "45.15" in said and "° N, 9.00" in said  # longitude 9 is the zone's middle, x = 500 000 m
    points = browser.evaluate("document.querySelectorAll('#picked svg.series circle').length")
    assert points == 6
    x, y = on_screen(browser, 60, 50)
    browser.click(x, y)
    said = browser.evaluate("document.getElementById('picked').innerText")
    assert "Landslide" not in said and "500600 E, 5000300 N" in said and "Probability" in said


def test_layers_are_switched_on_and_off_and_made_see_through(browser):
    browser.evaluate("slipmap.map.fit()")
    before = painted(browser)
    browser.evaluate("document.querySelector('input[data-layer=\"factor.elevation\"]').click()")
    browser.wait("slipmap.map.state.some(s => s.id === 'factor.elevation')")
    browser.evaluate("new Promise(done => setTimeout(() => done(true), 150))")
    shown = painted(browser)
    assert np.abs(shown.astype(int) - before).mean() > 3
    browser.evaluate(
        "(() => { const s = document.querySelector('input[data-layer=\"factor.elevation\"]').closest('.layer')"
        ".querySelector('input[type=range]'); s.value = 0; s.dispatchEvent(new Event('input')); })()"
    )
    assert np.abs(painted(browser).astype(int) - before).max() <= 2
    browser.evaluate("document.querySelector('input[data-layer=\"factor.elevation\"]').click()")
    assert np.abs(painted(browser).astype(int) - before).max() <= 2


def test_the_map_zooms_where_the_wheel_turns_and_follows_the_mouse(browser):
    browser.evaluate("slipmap.map.fit()")
    browser.frame()
    x, y = on_screen(browser, 40, 40)
    scale = browser.evaluate("slipmap.map.view.scale")
    browser.wheel(x, y, -200)
    browser.wait(f"slipmap.map.view.scale > {1.3 * scale}")
    assert on_screen(browser, 40, 40) == pytest.approx([x, y], abs=1.5)
    browser.drag((x, y), (x + 40, y + 25))
    assert on_screen(browser, 40, 40) == pytest.approx([x + 40, y + 25], abs=1.5)


def test_the_scale_bar_is_as_long_as_it_says(browser):
    browser.evaluate("slipmap.map.fit()")
    browser.frame()
    metres, pixels = browser.evaluate(
        "[slipmap.map.scaleText.textContent, parseFloat(slipmap.map.scaleLine.style.width)]"
    )
    number, unit = metres.split()
    ground = float(number) * (1000 if unit == "km" else 1)
    (x0, _), (x1, _) = on_screen(browser, 0, 0), on_screen(browser, 100, 0)  # 100 pixels of 10 m
    assert pixels == pytest.approx(ground / 1000 * (x1 - x0), rel=1e-3)


def test_the_value_at_a_place_is_read_back_from_the_colour(browser):
    browser.evaluate("slipmap.map.fit(); document.querySelector('input[data-layer=\"velocity\"]').click()")
    browser.evaluate("new Promise(done => setTimeout(() => done(true), 150))")
    x, y = on_screen(browser, 55, 10)  # stable ground: within one step of the colour ramp of 0
    browser.click(x, y)
    said = browser.evaluate("document.getElementById('picked').innerText")
    browser.evaluate("document.querySelector('input[data-layer=\"velocity\"]').click()")
    line = next(line for line in said.splitlines() if line.startswith("Velocity in the line of sight"))
    value = float(line.split("≈")[1].split("mm")[0].replace("−", "-"))
    assert abs(value) < 4


def test_a_row_of_the_table_of_landslides_leads_to_the_landslide(browser):
    browser.evaluate("document.querySelector('tr[data-landslide=\"2\"]').click()")
    browser.frame()
    assert "Landslide 2" in browser.evaluate("document.getElementById('picked').innerText")
    assert browser.evaluate("slipmap.map.selected.id") == 2


def test_a_close_up_shows_its_place(browser):
    """48 pixels of the area across, round column 74, row 64."""
    said = browser.evaluate(
        "[...document.querySelectorAll('[data-at]')].map(e => [e.clientWidth, e.querySelector('canvas').clientHeight,"
        "e.querySelector('.scale span').textContent, parseFloat(e.querySelector('.scale i').style.width)])"
    )
    assert len(said) == 3
    for width, height, text, bar in said:
        metres = float(text.split()[0])
        assert min(width, height) / (bar / metres) == pytest.approx(480, rel=0.01)


def test_new_and_moving_landslides_can_be_shown_alone(browser):
    shown = "slipmap.map.landslides.map(l => l.id)"
    assert browser.evaluate(shown) == [1, 2]
    browser.evaluate("document.querySelector('[data-chip=moving]').click()")
    assert browser.evaluate(shown) == [2]
    assert browser.evaluate("document.querySelector('[data-chip=moving]').innerText") == "Moving (1)"
    browser.evaluate("document.querySelector('a[data-only=all]').click()")
    assert browser.evaluate(shown) == [1, 2]
    browser.evaluate("document.querySelector('a[data-only=new]').click()")
    assert browser.evaluate(shown) == [2]
    colours = browser.evaluate("[...document.querySelectorAll('.keys i')].map(i => i.style.borderColor)")
    assert len(set(colours)) == 2  # moving, no movement detected
    browser.evaluate("document.querySelector('[data-chip=all]').click()")


def test_the_first_screen_of_a_phone_answers_how_many_landslides_there_are(browser):
    browser.evaluate("window.scrollTo(0, 0)")
    bottom = browser.evaluate("document.querySelector('.cards').getBoundingClientRect().bottom")
    assert bottom <= browser.height


def test_nothing_is_wider_than_the_window(browser):
    assert browser.evaluate("document.documentElement.scrollWidth") <= browser.width
    assert browser.evaluate("window.innerWidth") == browser.width  # a phone widens it for what does not fit


def test_the_note_stands_beside_the_scores(browser):
    assert NOTE in browser.evaluate("document.getElementById('scores').innerText")


def test_nothing_is_fetched_and_the_console_is_silent(browser, report):
    browser.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    browser.evaluate("new Promise(done => setTimeout(() => done(true), 200))")
    assert [url for url in browser.requests if not url.startswith("data:")] == [report.resolve().as_uri()]
    assert browser.complaints == []
    blocked = browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused')")
    assert blocked == "refused"
