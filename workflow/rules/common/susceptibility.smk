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


def index_files(area):
    """Rasters of the factors of which the Landslide Risk Index is made, by name."""
    return {name: f"results/{area}/factors/{name}.tif" for name in AREAS[area].susceptibility.risk_index.names}


def pooled_areas(area):
    """The area, then those whose pixels its models also learn from."""
    return [area, *AREAS[area].susceptibility.with_areas]


def susceptibility_files(area):
    """Everything that the stage makes for an area: nothing without settings, the index alone without inventory."""
    settings = AREAS[area].susceptibility
    if settings is None:
        return []
    folder = f"results/{area}/susceptibility"
    files = []
    if settings.risk_index is not None:
        files += [f"{folder}/lsi.tif", f"{folder}/lsi_class.tif"]
    if has_inventory(area):
        files += [f"{folder}/cross_validation_summary.csv", *(f"{folder}/{model}.tif" for model in settings.maps)]
    return files


def pooled_inputs(wildcards):
    """Input function: the rasters of every pooled area, named for the script."""
    areas = pooled_areas(wildcards.area)
    return {
        "factors": [path for area in areas for path in factor_files(area).values()],
        "inventories": [f"results/{area}/inventory.tif" for area in areas],
        "splits": [f"results/{area}/patches/split.tif" for area in areas],
        "selection": f"results/{wildcards.area}/screening/selection.json",
    }


def pooled_names(wildcards):
    """Params function: the factors of every pooled area, in the order of the inputs."""
    return {area: factor_names(AREAS[area]) for area in pooled_areas(wildcards.area)}
