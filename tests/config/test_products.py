"""What the rules and the report alike are told: which experiments map an area, and which options remake what."""

from slipmap.config import parse_config
from slipmap.config.prediction import MapSettings, OutlineSettings, PredictionSettings
from slipmap.config.products import mapped_areas, named_factors, reported
from slipmap.config.run import RunSettings

BOUNDS = [500000, 5000000, 501600, 5001600]
GRID = {"crs": "EPSG:32632", "bounds": BOUNDS}
RADAR = {"grid": GRID, "inputs": {"sentinel1": {"level": "unwrapped", "path": "resources/radar"}}}


def run(**changes) -> RunSettings:
    experiment = {"dataset": "p64", "train_areas": ["valley"], "test_areas": ["valley"]} | changes
    return parse_config(
        {
            "areas": {
                "valley": {"grid": GRID, "simulate": {"seed": 1}},
                "next": {"grid": GRID, "simulate": {"seed": 2, "inventory": False}},
                "radar": RADAR,
            },
            "datasets": {"p64": {"size": 64, "stride": 64}, "other": {"size": 32, "stride": 32}},
            "experiments": {"rs": experiment, "elsewhere": experiment | {"map_areas": ["next"]}},
        }
    )


def test_factors_that_the_config_names():
    assert named_factors(run(), "valley") == []  # made because their input is there
    assert named_factors(run(factors=["slope"]), "valley") == ["slope"]
    assert named_factors(run(factors=["slope"]), "next") == []  # not trained there
    named = {"include": ["rainfall"], "extra": ["profile_curvature"]}
    chosen = run().model_dump(mode="json", exclude_defaults=True)
    chosen["areas"]["valley"]["factors"] = named
    assert named_factors(RunSettings.model_validate(chosen), "valley") == ["profile_curvature", "rainfall"]


def test_every_area_with_factors_is_mapped_unless_areas_are_named():
    assert mapped_areas(run(), "rs") == ["valley", "next"]
    assert mapped_areas(run(), "elsewhere") == ["next"]
    assert mapped_areas(run(map_areas=[]), "rs") == []


def test_a_report_is_given_its_area_and_the_experiments_that_it_shows():
    shown = reported(run(test_areas=[]), "valley")
    assert (list(shown.areas), list(shown.experiments), list(shown.datasets)) == (["valley"], ["rs"], ["p64"])
    assert list(reported(run(), "valley").experiments) == ["rs", "elsewhere"]  # tested here, mapped elsewhere
    assert list(reported(run(), "radar").experiments) == []
    assert RunSettings.model_validate(shown.model_dump(mode="json")) == shown


def test_what_does_not_change_a_report_does_not_remake_it():
    """Another area, another data set, an experiment that is neither mapped nor tested in the area."""
    whole, less = run(), run()
    for part in ("next", "radar"):
        del less.areas[part]
    del less.datasets["other"]
    assert reported(whole, "valley") == reported(less, "valley")


def test_options_of_outlines_are_not_options_of_the_map():
    """Each option belongs to one step, so that another smallest area does not map the region again."""
    step = {name: set(model.model_fields) for name, model in (("map", MapSettings), ("outline", OutlineSettings))}
    assert not step["map"] & step["outline"]
    assert step["map"] | step["outline"] | {"parts", "coverage"} == set(PredictionSettings.model_fields)
    assert {"min_area", "smooth", "rules", "moving_velocity"} <= step["outline"] and "overlap" in step["map"]
