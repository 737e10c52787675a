"""The page of the input formats says what the code has."""

from slipmap.factors import page
from slipmap.factors.climate_units import RAIN
from slipmap.io import marks


def test_the_page_is_what_the_readers_say(repository):
    """Made again by ``python -m slipmap.factors.page docs/input_formats.md``."""
    text = (repository / "docs/input_formats.md").read_text(encoding="utf-8")
    assert marks.between(text, page.MARK, page.section()) == text
    assert all(f"`{unit}`" in text for unit in RAIN)
