# What the rules of prediction and report ask about an area and an experiment.
from slipmap.config.prediction import MapSettings, OutlineSettings
from slipmap.config.products import has_factors, is_tested, mapped_areas, reported


def prediction_part(model):
    """Params function: of the experiment's prediction settings the keys of `model`, as plain data."""
    keys = set(model.model_fields)
    return lambda wildcards: EXPERIMENTS[wildcards.experiment].prediction.model_dump(mode="json", include=keys)


def divided(experiment):
    """Whether an area's map is made by several jobs."""
    return EXPERIMENTS[experiment].prediction.parts > 1


def weight_files(wildcards):
    """Input function: the files of an experiment's weights."""
    needed = ["weights.safetensors", "model.json"]
    if EXPERIMENTS[wildcards.experiment].prediction.calibration == "isotonic":
        needed.append("validation_scores.csv")
    return [f"{folder}/{name}" for folder in weights_of(wildcards.experiment) for name in needed]


def deformation_files(wildcards):
    """Input function: what a landslide's motion is read from; nothing where there is no time series."""
    source = AREAS[wildcards.area].inputs.sentinel1
    if source is None or source.level == "velocity":
        return {}
    folder = f"results/{wildcards.area}/deformation"
    files = ("velocity.tif", "velocity_std.tif", "temporal_coherence.tif", "timeseries.nc", "stack.json")
    return {Path(name).stem: f"{folder}/{name}" for name in files}


def reported_settings(wildcards):
    """Params function: what of the config the report of an area shows, as plain data."""
    return reported(RUN, wildcards.area).model_dump(mode="json")


def reported_files(wildcards):
    """Input function: everything that the report of an area shows."""
    area = wildcards.area
    base = f"results/{area}"
    files = [f"{base}/grid.json"]
    if has_factors(AREAS[area]):
        files += [*factor_files(area).values(), f"{base}/factors/coverage.csv"]
    if AREAS[area].inputs.dem:
        files.append(f"{base}/hillshade.tif")
    if has_deformation(area):
        files += [f"{base}/deformation/velocity.tif"]
    if has_inventory(area):
        files += [f"{base}/inventory.tif", f"{base}/patches/split.tif", f"{base}/screening/decision.csv"]
    for experiment in EXPERIMENTS:
        if area in mapped_areas(RUN, experiment):
            files += [f"{base}/maps/{experiment}/{name}" for name in ("probability.tif", "landslides.gpkg", "item.json")]
        if is_tested(RUN, experiment, area):
            files += [f"{base}/experiments/{experiment}/metrics.csv", *augmentation_figures(area, experiment)]
    return files + susceptibility_files(area)


def imported_files(wildcards):
    """Input function: everything that the report of an imported data set shows."""
    base = f"results/{wildcards.dataset}"
    tested = [experiment for experiment in EXPERIMENTS if is_tested(RUN, experiment, wildcards.dataset)]
    files = [f"{base}/experiments/{experiment}/metrics.csv" for experiment in tested]
    figures = [path for experiment in tested for path in augmentation_figures(wildcards.dataset, experiment)]
    return {"store": f"{base}/patches/{wildcards.dataset}.zarr", "metrics": files, "figures": figures}


def augmentation_figures(place, experiment):
    """The picture of what augmentation does, where an experiment is trained in a place and its augmentation does any."""
    chosen = EXPERIMENTS[experiment]
    augment = chosen.training.augment
    drawn = augment.flips or augment.rotations or augment.brightness or augment.centerrep
    here = drawn and trains(experiment) and place == home_area(chosen)
    return [f"results/{place}/experiments/{experiment}/augmentation.png"] if here else []
