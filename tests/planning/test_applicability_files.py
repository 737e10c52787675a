"""Which maps of applicability and prediction sets a run makes."""

from pathlib import Path

from slipmap.checkout import CONFIG
from slipmap.config import read_config
from slipmap.planning import files

RUN = read_config(CONFIG / "config.yaml")


def changed(**settings):
    """The demo's run with experiment rs changed."""
    rs = RUN.experiments["rs"]
    if "coverage" in settings:
        settings["prediction"] = rs.prediction.model_copy(update={"coverage": settings.pop("coverage")})
    return RUN.model_copy(update={"experiments": {"rs": rs.model_copy(update=settings)}})


def test_every_map_says_where_it_applies_and_sets_are_made_where_asked_for():
    made = files.reported_files(RUN, "demo")
    for name in RUN.experiments:
        assert f"results/demo/maps/{name}/applicability.tif" in made
        assert f"results/demo/maps/{name}/sets.tif" not in made
    asked = changed(coverage=0.9)
    assert "results/demo/maps/rs/sets.tif" in files.reported_files(asked, "demo")
    assert files.set_files(asked, "elsewhere", "rs") == []  # not trained there: no validation ground


def test_weights_from_elsewhere_are_judged_if_their_ground_came_with_them(tmp_path: Path):
    folder = tmp_path / "seed_0"
    folder.mkdir()
    run = changed(weights=str(tmp_path), coverage=0.9)
    assert files.applicability_files(run, "demo", "rs") == {} and files.set_files(run, "demo", "rs") == []
    (folder / "training_ground.csv").touch()
    assert set(files.applicability_files(run, "demo", "rs")) == {"index", "mask", "shares"}
