"""Susceptibility maps, block by block."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from slipmap.codes import TRAINING
from slipmap.config.susceptibility import ClassicalSettings, ModelName
from slipmap.screening.applicability import Outputs, fit, separability, write
from slipmap.screening.layers import Layers, opened
from slipmap.screening.sampling import Sample, priority
from slipmap.susceptibility.areas import AreaFiles, pool
from slipmap.susceptibility.classical import LABELS, Classifier
from slipmap.susceptibility.compare import maker, mixed_groups, model_factors, own_factors
from slipmap.susceptibility.risk_map import write_map

APPLICABILITY_SAMPLE = 10_000  # training pixels to which distances are measured


def map_susceptibility(
    areas: Mapping[str, AreaFiles],
    settings: ClassicalSettings | Mapping[str, object],
    model: ModelName,
    output: str | Path,
    selected: Sequence[str] | None = None,
    jobs: int = 1,
    applicability: Mapping[str, str | Path] | None = None,
) -> None:
    """Fit `model` on the training pixels of all `areas` and map the first of them to `output`.

    `applicability` names the files of `slipmap.screening.applicability.Outputs`: where the map rests on ground like
    what the model learnt from, factors weighted by how well each alone tells landslides apart, blocks as folds.

    The fit is the one whose test scores `compare.run` gives. The raster is float32, probability relative to a sample
    that is half landslides, NaN where a factor is missing. Without a split the model learns from every labelled pixel.

    Notes
    -----
    Memory holds the sample and one block of every factor.
    """
    settings = ClassicalSettings.model_validate(settings)
    first = next(iter(areas.values()))
    names = own_factors(model, model_factors(first.factors, settings, selected), first.factors, settings)
    splits = (TRAINING,) if all(files.split is not None for files in areas.values()) else None
    sample, area = pool(areas, names, settings, splits)
    groups = mixed_groups(sample, area, areas, settings)
    fitted = maker(model, names, sample.categories, settings, jobs)().fit(sample, groups)
    with opened({name: first.factors[name] for name in names}) as layers:
        write_map(
            layers,
            output,
            fitted.predict,
            bands=["susceptibility"],
            units="1",
            long_name=f"landslide susceptibility ({LABELS[model]})",
            tags={
                "model": model,
                "factors": " ".join(names),
                "learnt_from": f"{len(sample.labels)} pixels, half landslides",
                "areas": " ".join(areas),
            },
        )
        if applicability:
            _write_applicability(layers, fitted, sample, mixed_groups(sample, area, areas, settings), applicability)


def _write_applicability(
    layers: Layers, fitted: Classifier, sample: Sample, folds: np.ndarray, outputs: Mapping[str, str | Path]
) -> None:
    sample = sample.select(fitted.names)
    seen = {name: np.unique(sample.column(name)).astype(int).tolist() for name in sample.categories}
    weights = separability(sample.values, sample.labels, fitted.names, seen)
    few = priority(np.arange(len(sample.labels)), 0).argsort(kind="stable")[:APPLICABILITY_SAMPLE]
    found = fit(sample.values[few], fitted.names, folds[few], weights=weights, classes=seen)

    def read(window: Window) -> tuple[np.ndarray, np.ndarray]:
        values = layers.values(window, fitted.names)
        return values, np.isfinite(values).all(axis=0)

    write(found, read, layers.grid, Outputs(**outputs))
