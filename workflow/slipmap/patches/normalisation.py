"""Statistics of bands, fitted on training pixels only, and the one normalisation that training and prediction share."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from slipmap.errors import InputError, nearest

Method = Literal["zscore", "minmax"]
_KEYED = ("classes", "class_pixels")  # of a band: keys are numbers, in JSON text

# A known value that would become what a missing one becomes is moved by so much: one step of float32, or, where the
# missing one becomes 0, a number that no arithmetic rounds to 0.
_NUDGE, _TINY = np.float32(1.2e-7), np.float32(1e-30)


@dataclass(frozen=True)
class BandStatistics:
    """What is known of one band; the numbers are of training pixels.

    Parameters
    ----------
    name, units : as in the band's raster.
    kind : "continuous", or "categorical" (integer classes, which become one channel each).
    classes : of a categorical band: {value: name}, in the order of the channels.
    optional : whether a pixel where this band is missing still counts as valid.
    class_pixels : of a categorical band: {value: training pixels}.
    count : finite training pixels.
    mean, std, minimum, maximum : of those (of a categorical band without meaning).
    """

    name: str
    kind: Literal["continuous", "categorical"] = "continuous"
    units: str = "1"
    classes: Mapping[int, str] = field(default_factory=dict)
    optional: bool = False
    class_pixels: Mapping[int, int] = field(default_factory=dict)
    count: int = 0
    mean: float = 0.0
    std: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0


@dataclass(frozen=True)
class Statistics:
    """Statistics of named, ordered bands, and how they normalise. JSON in and out: `as_dict`, `from_dict`."""

    method: Method
    bands: tuple[BandStatistics, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Band names in order."""
        return tuple(band.name for band in self.bands)

    def select(self, names: Sequence[str]) -> "Statistics":
        """Statistics of the bands `names`, in that order; an unknown name is an `InputError`."""
        known = {band.name: band for band in self.bands}
        for name in names:
            if name not in known:
                raise InputError(
                    f"Band '{name}' is not among those that the statistics were fitted on{nearest(name, known)}"
                )
        return replace(self, bands=tuple(known[name] for name in names))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON (class values become strings there)."""
        bands = [
            asdict(band) | {key: {str(k): v for k, v in getattr(band, key).items()} for key in _KEYED}
            for band in self.bands
        ]
        return {"method": self.method, "bands": bands}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Statistics":
        """Read what `as_dict` wrote (after JSON too)."""
        bands = (
            BandStatistics(
                **{**band, **{key: {int(k): v for k, v in band[key].items()} for key in _KEYED if key in band}}
            )
            for band in record["bands"]
        )
        return cls(record["method"], tuple(bands))


class Accumulator:
    """Mean, standard deviation and range of bands, gathered block by block in float64 (Chan et al. 1979).

    Parameters
    ----------
    bands : number of bands.
    """

    def __init__(self, bands: int) -> None:
        self.count = np.zeros(bands, np.int64)
        self.mean = np.zeros(bands)
        self.squares = np.zeros(bands)
        self.minimum = np.full(bands, np.inf)
        self.maximum = np.full(bands, -np.inf)
        self.classes: list[Counter[int]] = [Counter() for _ in range(bands)]

    def add(self, block: np.ndarray, chosen: np.ndarray) -> None:
        """Take in `block` (bands, rows, cols) where `chosen` (rows, cols) is true and the value is finite."""
        for i, band in enumerate(block):
            self.add_band(i, band, chosen)

    def add_band(self, i: int, band: np.ndarray, chosen: np.ndarray) -> None:
        """As `add`, for band number `i` (from 0) alone."""
        values = band[chosen]
        values = values[np.isfinite(values)].astype(np.float64)
        if values.size:
            mean = values.mean()
            self.merge(i, values.size, mean, np.square(values - mean).sum(), values.min(), values.max())

    def count_classes(self, i: int, band: np.ndarray, chosen: np.ndarray) -> None:
        """Count the pixels of each class of band `i`, whose values are classes."""
        values = band[chosen]
        found, pixels = np.unique(values[np.isfinite(values)].astype(int), return_counts=True)
        self.classes[i].update(dict(zip(found.tolist(), pixels.tolist(), strict=True)))

    def merge(self, i: int, count: int, mean: float, squares: float, minimum: float, maximum: float) -> None:
        """Take in `count` values of band `i` with that mean, sum of squared deviations and range."""
        total = self.count[i] + count
        delta = mean - self.mean[i]
        self.squares[i] += squares + delta**2 * self.count[i] * count / total
        self.mean[i] += delta * count / total
        self.count[i] = total
        self.minimum[i] = min(self.minimum[i], minimum)
        self.maximum[i] = max(self.maximum[i], maximum)

    def statistics(self, bands: Iterable[BandStatistics], method: Method) -> Statistics:
        """The statistics so far, for bands described in order."""
        done = []
        for i, band in enumerate(bands):
            if self.count[i] == 0:
                raise InputError(
                    f"Band '{band.name}' has no value on any training pixel; leave it out or correct its raster."
                )
            done.append(
                replace(
                    band,
                    class_pixels=dict(sorted(self.classes[i].items())),
                    count=int(self.count[i]),
                    mean=float(self.mean[i]),
                    std=float(np.sqrt(self.squares[i] / self.count[i])),
                    minimum=float(self.minimum[i]),
                    maximum=float(self.maximum[i]),
                )
            )
        return Statistics(method, tuple(done))


def pool(parts: Sequence[Statistics | Mapping[str, Any]]) -> Statistics:
    """Statistics of several stores' training pixels together, as if they had been fitted on one store.

    Raises
    ------
    InputError : the stores differ in bands, their order, kind or method.
    """
    known = [as_statistics(part) for part in parts]
    first = known[0]
    for other in known[1:]:
        check_order(other.names, first.names, "a patch store", "the first one")
        if [b.kind for b in other.bands] != [b.kind for b in first.bands] or other.method != first.method:
            raise InputError(
                "Two patch stores differ in the kind of a band or in the normalisation; rebuild them with the same "
                "settings under datasets."
            )
    total = Accumulator(len(first.bands))
    classes: list[dict[int, str]] = [{} for _ in first.bands]
    for part in known:
        for i, band in enumerate(part.bands):
            if band.count:
                total.merge(i, band.count, band.mean, band.std**2 * band.count, band.minimum, band.maximum)
            total.classes[i].update(band.class_pixels)
            for value, name in band.classes.items():
                if classes[i].setdefault(value, name) != name:
                    raise InputError(
                        f"Class {value} of band '{band.name}' is '{classes[i][value]}' in one area and '{name}' in "
                        f"another; give both areas' classes the same numbers."
                    )
    described = (
        replace(band, classes=dict(sorted(named.items()))) for band, named in zip(first.bands, classes, strict=True)
    )
    return total.statistics(described, first.method)


def normalise(
    block: np.ndarray,
    bands: Sequence[str],
    statistics: Statistics | Mapping[str, Any],
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Turn raw bands into the channels that a model takes. Training and prediction both call this.

    Parameters
    ----------
    block : (bands, rows, cols) float, NaN where a value is missing; not changed.
    bands : the name of each band of `block`, in its order; a model is given its own bands in its own order.
    statistics : of the training pixels of at least these bands.
    out : (channels, rows, cols) float32 to write to.

    Returns
    -------
    (channels, rows, cols) float32 without NaN, in the order of `channel_names`. zscore: (x - mean) / std; minmax:
    (x - min) / (max - min), not clipped; a band that is constant on training becomes 0. A missing value becomes the
    training mean, which no known value becomes exactly (see `linear_terms`). A categorical band becomes one channel
    of 0 and 1 for each class; a class that training did not name, or a missing one, is 0 in all of them.

    Raises
    ------
    InputError : the block has another number of bands than names, or a name without statistics.
    """
    return Normaliser(bands, statistics)(block, out)


class Normaliser:
    """`normalise` for many blocks of the same bands: what it needs is worked out once.

    Parameters
    ----------
    bands, statistics : as for `normalise`.

    Attributes
    ----------
    channels : names of the channels that it makes.
    """

    def __init__(self, bands: Sequence[str], statistics: Statistics | Mapping[str, Any]) -> None:
        chosen = as_statistics(statistics).select(bands)
        self._names = list(bands)
        self._bands = chosen.bands
        self.channels = channel_names(bands, chosen)
        terms = np.array([linear_terms(band, chosen.method) for band in chosen.bands], np.float32)
        self._offset, self._scale, self._missing = terms.reshape(-1, 3).T
        self._categorical = any(band.kind == "categorical" for band in chosen.bands)

    def __call__(self, block: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Channels of one block; see `normalise`."""
        if len(block) != len(self._names):
            raise InputError(
                f"{len(block)} bands were read but {len(self._names)} names given ({', '.join(self._names)})."
            )
        if out is None:
            out = np.empty((len(self.channels), *block.shape[1:]), np.float32)
        if not self._categorical:
            self._scale_into(block, slice(None), out)
            return out
        channel = 0
        for i, band in enumerate(self._bands):
            if band.kind == "categorical":
                for value in band.classes:
                    np.equal(block[i], value, out=out[channel])
                    channel += 1
            else:
                self._scale_into(block[i : i + 1], slice(i, i + 1), out[channel : channel + 1])
                channel += 1
        return out

    def _scale_into(self, block: np.ndarray, which: slice, out: np.ndarray) -> None:
        np.subtract(block, self._offset[which, None, None], out=out)
        np.multiply(out, self._scale[which, None, None], out=out)
        for channel, value, scale in zip(out, self._missing[which], self._scale[which], strict=True):
            if scale and (mean := channel == value).any():
                channel[mean] = value + max(abs(value) * _NUDGE, _TINY)
            if np.isnan(channel.min()):
                channel[np.isnan(channel)] = value


def linear_terms(band: BandStatistics, method: Method) -> tuple[float, float, float]:
    """(offset, scale, unknown) of a continuous band: normalised = (value - offset) × scale, `unknown` where missing.

    The scale of a band that is constant on training is 0. Otherwise no known value becomes exactly `unknown` (float32),
    so that the mask of unknown pixels can be read back from normalised channels.
    """
    if method == "zscore":
        offset, scale = band.mean, 1 / band.std if band.std > 0 else 0.0
    else:
        width = band.maximum - band.minimum
        offset, scale = band.minimum, 1 / width if width > 0 else 0.0
    return offset, scale, float(np.float32((band.mean - offset) * scale))


def channel_names(bands: Sequence[str], statistics: Statistics | Mapping[str, Any]) -> list[str]:
    """Names of the channels that `normalise` makes of `bands`: "slope", "lithology=granite"."""
    names = []
    for band in as_statistics(statistics).select(bands).bands:
        if band.kind == "categorical":
            names += [f"{band.name}={name}" for name in band.classes.values()]
        else:
            names.append(band.name)
    return names


def valid_pixels(block: np.ndarray, bands: Sequence[str], statistics: Statistics | Mapping[str, Any]) -> np.ndarray:
    """Where every band that is not optional has a value: (rows, cols) bool. As in the patch store."""
    chosen = as_statistics(statistics).select(bands)
    valid = np.ones(block.shape[1:], bool)
    for values, band in zip(block, chosen.bands, strict=True):
        if not band.optional:
            valid &= np.isfinite(values)
    return valid


def as_statistics(given: Statistics | Mapping[str, Any]) -> Statistics:
    """`given` as `Statistics`, whether it already is or comes from JSON."""
    return given if isinstance(given, Statistics) else Statistics.from_dict(given)


def check_order(names: Sequence[str], wanted: Sequence[str], what: str, other: str) -> None:
    """Raise `InputError` unless both have the same bands in the same order."""
    if list(names) == list(wanted):
        return
    if sorted(names) == sorted(wanted):
        at = next(i for i, (a, b) in enumerate(zip(names, wanted, strict=True)) if a != b)
        difference = f"band {at + 1} is '{names[at]}' in {what} and '{wanted[at]}' in {other}"
    else:
        extra, missing = sorted(set(names) - set(wanted)), sorted(set(wanted) - set(names))
        difference = f"{what} has {extra or 'none'} and lacks {missing or 'none'} of the bands of {other}"
    raise InputError(f"Band order differs: {difference}; build both with the same factors in the same order.")
