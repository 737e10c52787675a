"""A stratified sample of labelled pixels, the same whatever the block size, in memory that the area does not grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slipmap.codes import BACKGROUND, LANDSLIDE, TRAINING
from slipmap.errors import InputError
from slipmap.io.grid import BLOCK
from slipmap.screening.layers import Layers


@dataclass(frozen=True)
class Coverage:
    """What a factor looks like on the training pixels.

    Parameters
    ----------
    pixels : training pixels with a known label.
    valid : those where the factor has a value.
    smallest, largest : its range there; NaN where it has no value.
    """

    pixels: int
    valid: int
    smallest: float
    largest: float

    @property
    def share(self) -> float:
        """Share of the training pixels where the factor has a value."""
        return self.valid / self.pixels if self.pixels else 0.0

    @property
    def constant(self) -> bool:
        """Whether the factor has one value (to float32 precision)."""
        scale = max(abs(self.smallest), abs(self.largest))
        return self.valid > 0 and self.largest - self.smallest <= 1e-6 * scale


@dataclass(frozen=True)
class Sample:
    """Labelled pixels with a value in every factor.

    Parameters
    ----------
    values : (pixels, factors) float32.
    labels : (pixels,) uint8, 1 landslide, 0 not.
    rows, cols : (pixels,) where they lie on the grid.
    names : factors, in the order of the columns.
    categories : {factor: {value: class}} of the factors of classes.
    population : {label: labelled pixels with a value in every factor} from which the sample was drawn.
    """

    values: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    names: tuple[str, ...]
    categories: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    population: Mapping[int, int] = field(default_factory=dict)

    @property
    def continuous(self) -> list[str]:
        """Factors that are numbers, not classes."""
        return [name for name in self.names if name not in self.categories]

    def column(self, name: str) -> np.ndarray:
        """(pixels,) values of one factor."""
        return self.values[:, self.names.index(name)]

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """(pixels, len(names)) values of some factors."""
        return self.values[:, [self.names.index(name) for name in names]]

    def select(self, names: Sequence[str]) -> "Sample":
        """The same pixels with only these factors."""
        kept = {name: self.categories[name] for name in names if name in self.categories}
        return Sample(self.columns(names), self.labels, self.rows, self.cols, tuple(names), kept, self.population)

    def take(self, index: np.ndarray) -> "Sample":
        """Some of the pixels (an index or a mask)."""
        return Sample(
            self.values[index],
            self.labels[index],
            self.rows[index],
            self.cols[index],
            self.names,
            self.categories,
            self.population,
        )

    def blocks(self, side: int) -> np.ndarray:
        """(pixels,) number of the `side` × `side` pixel block of the grid that each pixel lies in."""
        across = int(self.cols.max(initial=0)) // side + 1
        return np.asarray((self.rows // side) * across + self.cols // side)


def survey(layers: Layers, splits: Sequence[int] | None = (TRAINING,)) -> dict[str, Coverage]:
    """Coverage and range of every factor over the labelled pixels of `splits`; one block in memory."""
    count = len(layers.names)
    pixels = 0
    valid = np.zeros(count, np.int64)
    smallest, largest = np.full(count, np.inf), np.full(count, -np.inf)
    for window, _, inside in layers.labelled(splits):
        values = layers.values(window)[:, inside]
        pixels += values.shape[1]
        valid += np.isfinite(values).sum(axis=1)
        smallest = np.fmin(smallest, np.fmin.reduce(values, axis=1))
        largest = np.fmax(largest, np.fmax.reduce(values, axis=1))
    return {
        name: Coverage(pixels, int(n), float(low) if n else np.nan, float(high) if n else np.nan)
        for name, n, low, high in zip(layers.names, valid, smallest, largest, strict=True)
    }


def draw(
    layers: Layers,
    size: int,
    seed: int,
    *,
    names: Sequence[str] | None = None,
    splits: Sequence[int] | None = (TRAINING,),
    block: int = BLOCK,
) -> Sample:
    """Draw at most ``size // 2`` landslide and as many other pixels, uniformly from each.

    Every pixel has a pseudo-random priority that follows from `seed` and its place on the grid; the smallest
    priorities of each class stay. So the sample is uniform without replacement, does not depend on the order or the
    size of the blocks, and memory holds the sample and one block.

    Parameters
    ----------
    names : factors to sample; only pixels with a value in all of them count. None: all.
    splits : values of the split to draw from; None: wherever there is a label.

    Raises
    ------
    InputError : no landslide, or no other pixel, has a value in every factor.
    """
    names = layers.names if names is None else tuple(names)
    quota = max(1, size // 2)
    strata = {label: _Smallest(quota, len(names)) for label in (BACKGROUND, LANDSLIDE)}
    for window, labels, inside in layers.labelled(splits, block):
        values = layers.values(window, names)
        inside &= np.isfinite(values).all(axis=0)
        rows, cols = np.nonzero(inside)
        at = (rows + int(window.row_off)) * layers.grid.width + (cols + int(window.col_off))
        rank = priority(at, seed)
        picked = labels[rows, cols]
        for label, stratum in strata.items():
            one = picked == label
            stratum.add(rank[one], at[one], values[:, rows[one], cols[one]].T)
    for label, what in ((LANDSLIDE, "landslide"), (BACKGROUND, "pixel outside landslides")):
        if not strata[label].seen:
            where = layers.inventory.name if layers.inventory else "The inventory"
            raise InputError(
                f"{where}: the pixels to learn from have no {what} with a value in every factor "
                f"({', '.join(names)}); check the inventory, the split's ratios and seed, and the factors' coverage."
            )
    at = np.concatenate([strata[label].at for label in strata])
    order = np.argsort(at)
    labels = np.concatenate([np.full(len(s.at), label, np.uint8) for label, s in strata.items()])[order]
    values = np.concatenate([s.values for s in strata.values()])[order]
    rows, cols = np.divmod(at[order], layers.grid.width)
    return Sample(
        values,
        labels,
        rows,
        cols,
        tuple(names),
        {name: layers.categories[name] for name in names if name in layers.categories},
        {label: stratum.seen for label, stratum in strata.items()},
    )


def priority(at: np.ndarray, seed: int) -> np.ndarray:
    """Pseudo-random uint64 for each pixel number: the SplitMix64 generator (Steele et al. 2014) at that step."""
    with np.errstate(over="ignore"):
        z = (at.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


class _Smallest:
    """The pixels of the smallest priorities seen so far."""

    def __init__(self, quota: int, factors: int) -> None:
        self.quota, self.seen = quota, 0
        self.rank = np.empty(0, np.uint64)
        self.at = np.empty(0, np.int64)
        self.values = np.empty((0, factors), np.float32)

    def add(self, rank: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
        self.seen += len(rank)
        rank = np.concatenate([self.rank, rank])
        at = np.concatenate([self.at, at])
        values = np.concatenate([self.values, values])
        if len(rank) > self.quota:
            stay = np.argpartition(rank, self.quota - 1)[: self.quota]
            rank, at, values = rank[stay], at[stay], values[stay]
        self.rank, self.at, self.values = rank, at, values
