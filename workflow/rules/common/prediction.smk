# What the rules of prediction and report ask about an area and an experiment.
from slipmap.config.prediction import MapSettings, OutlineSettings
from slipmap.config.products import is_tested, reported


def prediction_part(model):
    """Params function: of the experiment's prediction settings the keys of `model`, as plain data."""
    keys = set(model.model_fields)
    return lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.model_dump(mode="json", include=keys)


def divided(experiment):
    """Whether an area's map is made by several jobs."""
    return EXPERIMENTS[experiment].prediction.parts > 1


def reported_settings(wildcards):
    """Params function: what of the config the report of an area shows, as plain data."""
    return reported(RUN, wildcards.area).model_dump(mode="json")
