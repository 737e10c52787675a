"""Which experiments map an area, and what of the config its report shows."""

from slipmap.config.run import AreaSettings, RunSettings


def has_factors(area: AreaSettings) -> bool:
    """Whether an area has factors to map from: not where there is radar alone, whose velocity is shown as such."""
    return bool(area.inputs.dem or area.inputs.sentinel2 or area.inputs.ready_factors)


def mapped_areas(run: RunSettings, experiment: str) -> list[str]:
    """The areas that an experiment maps: those it names, or every area that has factors."""
    named = run.experiments[experiment].map_areas
    return list(named) if named is not None else [name for name, area in run.areas.items() if has_factors(area)]


def is_tested(run: RunSettings, experiment: str, area: str) -> bool:
    """Whether an experiment is scored on the test ground of an area: not with weights from elsewhere."""
    chosen = run.experiments[experiment]
    return area in chosen.test_areas and chosen.weights is None


def named_factors(run: RunSettings, area: str) -> list[str]:
    """Factors of an area that the config asks for by name, not because their input is there."""
    chosen = run.areas[area]
    named = [*(chosen.factors.include or ()), *chosen.factors.extra]
    if "keep" in chosen.screening.model_fields_set:
        named += chosen.screening.keep
    if chosen.susceptibility is not None:
        named += chosen.susceptibility.factors or ()
    for experiment in run.experiments.values():
        if area in experiment.train_areas:
            named += experiment.factors or ()
    return sorted(set(named))


def reported(run: RunSettings, area: str) -> RunSettings:
    """Of a config what the report of an area shows: the area, and the experiments that map it or are tested in it.

    An imported data set is such a place too, though without an area.
    """
    shown = {
        name: chosen
        for name, chosen in run.experiments.items()
        if area in mapped_areas(run, name) or is_tested(run, name, area)
    }
    used = {name for chosen in shown.values() for name in (chosen.dataset, area, *chosen.train_areas)}
    return run.model_copy(
        update={
            "areas": {area: run.areas[area]} if area in run.areas else {},
            "datasets": {name: dataset for name, dataset in run.datasets.items() if name in used},
            "experiments": shown,
        }
    )
