# What the rules of the classical models ask about an area: its settings, and the areas whose pixels are pooled.
from slipmap.config import susceptibility as classical
from slipmap.factors.names import require


for area, settings in AREAS.items():
    index = settings.susceptibility and settings.susceptibility.risk_index
    try:
        require(index.names if index else (), factor_names(settings), "susceptibility.risk_index")
    except InputError as error:
        sys.exit(f"slipmap: {CONFIG_SOURCE}: areas.{area}.{error}")


def one_model_settings(wildcards):
    """Params function: what the fit of one model depends on, with the options of that model alone."""
    settings = part_of("susceptibility", classical.ClassicalSettings)(wildcards)
    own = {model: given for model, given in settings["options"].items() if model == wildcards.model}
    return settings | {"options": own}


def pooled_names(wildcards):
    """Params function: the factors of every pooled area, in the order of the inputs."""
    return {area: factor_names(AREAS[area]) for area in files.pooled_areas(RUN, wildcards.area)}
