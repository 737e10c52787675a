"""Maps of the Landslide Risk Index and of its classes, block by block."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Unpack

import numpy as np

from slipmap.config.susceptibility import RiskIndexSettings
from slipmap.errors import InputError
from slipmap.factors import catalogue
from slipmap.factors.names import require
from slipmap.io import raster
from slipmap.io.description import Description
from slipmap.screening.breaks import class_breaks, classify
from slipmap.screening.layers import Layers, opened
from slipmap.screening.sampling import Coverage, draw, priority, survey
from slipmap.susceptibility.risk_model import RiskIndex

SAMPLE = 20_000  # index values from which class breaks are cut


def map_risk_index(
    factors: Mapping[str, str | Path],
    settings: RiskIndexSettings | Mapping[str, object],
    index: str | Path,
    classes: str | Path,
    *,
    inventory: str | Path | None = None,
    split: str | Path | None = None,
    seed: int = 0,
    sample: int = 6000,
    rain: bool = True,
) -> None:
    """Map the Landslide Risk Index to `index` (float32, 0-1) and its risk classes to `classes` (uint8, 1 the lowest).

    Ranges of the factors come from the training pixels; where there is no split (a prediction area) from every pixel.
    Class breaks are cut on `SAMPLE` pixels of the map itself.

    Raises
    ------
    InputError : a factor that the area does not have; a constant range; negative rain; weights from Spearman's
        correlation without an inventory and a split.
    """
    settings = RiskIndexSettings.model_validate(settings)
    model = RiskIndex(settings, rain=rain)
    require(model.names, factors, "susceptibility.risk_index")
    chosen = {name: factors[name] for name in dict.fromkeys(model.names)}
    with opened(chosen, inventory, split) as layers:
        _fit(model, settings, layers, seed, sample)
        tags = {
            "weights": " ".join(f"{role}={w:g}" for role, w in model.weights.items()),
            "ranges": " ".join(f"{role}={a:g}:{b:g}" for role, (a, b) in model.ranges.items()),
            "rain": model.rain.model_dump_json() if model.rain else "none (R = 1)",
            "source": "Zheng et al. 2025, eq. 4 and 5",
        }
        factor = catalogue.RISK_INDEX
        try:
            write_map(
                layers,
                index,
                model.predict,
                bands=[factor.name],
                units=factor.units,
                long_name=factor.long_name,
                tags=tags,
            )
        except ValueError as error:
            raise InputError(f"susceptibility.risk_index.rain: {error}; correct the rainfall.") from error
    _write_classes(index, classes, settings, seed)


def _fit(model: RiskIndex, settings: RiskIndexSettings, layers: Layers, seed: int, sample: int) -> None:
    """Give the index its ranges and weights, from training pixels where there are some.

    Raises
    ------
    InputError : see `map_risk_index`.
    """
    supervised = layers.inventory is not None and layers.split is not None
    spread = survey(layers) if supervised else _ranges(layers)
    low, high = (np.array([getattr(spread[name], end) for name in model.factors]) for end in ("smallest", "largest"))
    for role, name, a, b in zip(settings.factors, model.factors, low, high, strict=True):
        if role not in settings.ranges and not b > a:
            raise InputError(
                f"factor '{name}' is constant or empty, so its range cannot be scaled to 0-1; give "
                f"susceptibility.risk_index.ranges.{role}."
            )
    model.set_ranges(low, high)
    if settings.weights == "spearman" and not supervised:
        raise InputError(
            "susceptibility.risk_index.weights is spearman, but the area has no inventory; give the six weights."
        )
    model.set_weights(draw(layers, sample, seed) if settings.weights == "spearman" else None)


def write_map(
    layers: Layers, path: str | Path, predict: Callable[[np.ndarray], np.ndarray], **description: Unpack[Description]
) -> None:
    """Write what `predict` gives for each pixel that has every factor, NaN elsewhere, block by block."""
    with raster.create(path, layers.grid, **description) as writer:
        for window in layers.grid.blocks():
            values = layers.values(window)
            whole = np.isfinite(values).all(axis=0)
            out = np.full(whole.shape, np.nan, np.float32)
            if whole.any():
                out[whole] = predict(values[:, whole].T)
            writer.write(out, window)


def _write_classes(index: str | Path, path: str | Path, settings: RiskIndexSettings, seed: int) -> None:
    with opened({catalogue.RISK_INDEX.name: index}) as layers:
        breaks = class_breaks(_some_values(layers, seed), settings.classes, settings.breaks, settings.fixed_breaks)
        count = len(breaks) + 1
        labels = {3: ("low", "medium", "high")}.get(count, tuple(f"class {i + 1}" for i in range(count)))
        with raster.create(
            path,
            layers.grid,
            bands=["risk_class"],
            units="1",
            long_name="class of the Landslide Risk Index, a ranking of places",
            dtype="uint8",
            categories=dict(enumerate(labels, start=1)),
            tags={"breaks": " ".join(f"{b:.6g}" for b in breaks), "cut_by": settings.breaks},
        ) as writer:
            for window in layers.grid.blocks():
                found = classify(layers.values(window)[0], breaks)
                writer.write(np.where(found < 0, raster.CLASS_NODATA, found + 1).astype(np.uint8), window)


def _some_values(layers: Layers, seed: int) -> np.ndarray:
    """About `SAMPLE` values of the one layer, drawn uniformly, the same whatever the blocks."""
    grid = layers.grid
    share = min(1.0, SAMPLE / (grid.width * grid.height))
    drawn = []
    for window in grid.blocks():
        rows, cols = np.indices((int(window.height), int(window.width)))
        at = (rows + int(window.row_off)) * grid.width + cols + int(window.col_off)
        chosen = priority(at, seed) <= np.uint64(share * (2**64 - 2**11))
        drawn.append(layers.values(window)[0][chosen])
    values: np.ndarray = np.concatenate(drawn)
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError(
            f"{layers.factors[catalogue.RISK_INDEX.name].name}: no pixel has a value in every factor; "
            f"see factors/coverage.csv."
        )
    return values


def _ranges(layers: Layers) -> dict[str, Coverage]:
    """Range of every factor over all pixels, label or not; one block in memory."""
    count = len(layers.names)
    low, high, valid = np.full(count, np.inf), np.full(count, -np.inf), np.zeros(count, np.int64)
    for window in layers.grid.blocks():
        values = layers.values(window).reshape(count, -1)
        low = np.fmin(low, np.fmin.reduce(values, axis=1))
        high = np.fmax(high, np.fmax.reduce(values, axis=1))
        valid += np.isfinite(values).sum(axis=1)
    pixels = layers.grid.width * layers.grid.height
    return {
        name: Coverage(pixels, int(n), float(a), float(b))
        for name, n, a, b in zip(layers.names, valid, low, high, strict=True)
    }
