"""`slipmap check` finds every deliberate mistake of `helpers.mistakes` by itself, in a sentence."""

import pytest
import yaml

from helpers import mistakes_of_files, mistakes_of_names, mistakes_of_values  # noqa: F401, they register theirs
from helpers.input_writers import heights, square, tif, vector
from helpers.mistakes import GRID, MISTAKES, Mistake
from slipmap.cli import main


def write(mistake: Mistake) -> None:
    """The config my.yaml of an area that is in order but for the mistake."""
    tif("dem.tif", heights(), nodata=-9999)
    vector("slides.gpkg", [square(300, 300), square(900, 700)])
    made = mistake.make()
    if "text" in made:
        text = made["text"]
    else:
        config = {key: dict(value) for key, value in made.pop("config", {}).items()}
        inputs = {"dem": "dem.tif", "inventory": "slides.gpkg"} | made.pop("inputs", {})
        config.setdefault("areas", {})["valley"] = {"grid": GRID, "inputs": inputs} | made
        text = yaml.safe_dump(config, allow_unicode=True)
    with open("my.yaml", "w", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda item: f"{item.clause}-{item.kind}-{item.name}")
def test_check_finds_it(mistake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(mistake)
    assert main(["check", "my.yaml"]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert all(line.startswith("slipmap: ") for line in said)
    assert len(said) == 1, said
    assert all(word in said[0] for word in mistake.says), said[0]


def test_each_clause_has_three_mistakes_over_six_kinds_of_input():
    clauses = [mistake.clause for mistake in MISTAKES]
    assert len(MISTAKES) >= 60
    assert min(map(clauses.count, set(clauses))) >= 3
    assert len({mistake.kind for mistake in MISTAKES}) >= 6


def test_the_area_without_a_mistake_is_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(Mistake("none", "none", "none", (), dict))
    assert main(["check", "my.yaml"]) == 0, capsys.readouterr().err
