"""What areas must have in common: classes that mean the same, and room for the patches of a data set."""

from collections.abc import Mapping, Sequence

from slipmap.config.patches import SplitSettings
from slipmap.config.products import mapped_areas
from slipmap.config.run import RunSettings
from slipmap.errors import Faults, InputError
from slipmap.io.grid import Grid
from slipmap.patches.buffer import block_count

LITHOLOGY = "lithology"


def check_classes(
    settings: RunSettings, name: str, factors: Mapping[str, Sequence[str]], classes: Mapping[str, Sequence[str]]
) -> None:
    """Raise `InputError` where one number would stand for different rocks in the areas of an experiment.

    Parameters
    ----------
    factors : of each area. classes : of each area whose classes are known, in the order of their codes.
    """
    experiment = settings.experiments[name]
    if LITHOLOGY in experiment.exclude or (experiment.factors is not None and LITHOLOGY not in experiment.factors):
        return
    places = dict.fromkeys([*experiment.train_areas, *experiment.test_areas, *mapped_areas(settings, name)])
    known = [place for place in places if place in classes and LITHOLOGY in factors.get(place, ())]
    for place in known[1:]:
        if list(classes[place]) != list(classes[known[0]]):
            raise InputError(
                f"experiments.{name}: the lithological classes of {known[0]} ({_some(classes[known[0]])}) and "
                f"of {place} ({_some(classes[place])}) differ, so one number would stand for different rocks; list the "
                f"classes of both, in one order, as areas.{known[0]}.factors.lithology.classes and "
                f"areas.{place}.factors.lithology.classes, or leave lithology out (experiments.{name}.exclude)."
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + ", ..." * (len(names) > 4)


def check_patches(settings: RunSettings, grids: Mapping[str, Grid]) -> None:
    """Raise `InputError` where patches are larger than an area that they are cut from, or than its blocks."""
    faults = Faults()
    for name, experiment in settings.experiments.items():
        patches = settings.datasets.get(experiment.dataset or "")
        if patches is None or patches.source is not None:
            continue
        for place in dict.fromkeys([*experiment.train_areas, *experiment.test_areas]):
            if place in grids:
                faults.of(_require_room, str(experiment.dataset), patches.size, place, grids[place], name)
                faults.of(_require_blocks, settings.areas[place].split, place, grids[place])
    faults.end()


def _require_room(dataset: str, size: int, area: str, grid: Grid, experiment: str) -> None:
    if size > min(grid.shape):
        raise InputError(
            f"datasets.{dataset}.size is {size} pixels, and the area {area} has {grid.width} x {grid.height}; give "
            f"smaller patches, or a data set of another size to experiments.{experiment}."
        )


def _require_blocks(split: SplitSettings, area: str, grid: Grid) -> None:
    parts = split.folds if split.method == "kfold" else sum(share > 0 for share in split.shares())
    blocks = block_count(grid.height, split.block) * block_count(grid.width, split.block)
    if split.method in ("blocks", "kfold") and blocks < parts:
        raise InputError(
            f"areas.{area}.split.block is {split.block} pixels: the area ({grid.width} x {grid.height}) has room for "
            f"{blocks} of them, and {parts} or more are needed; give smaller blocks"
            f"{' or fewer folds' if split.method == 'kfold' else ''}."
        )
