"""Frequency ratio and weight of evidence of every class of every factor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from slipmap.codes import LANDSLIDE, TRAINING
from slipmap.screening.breaks import class_breaks, classify
from slipmap.screening.layers import Layers
from slipmap.screening.sampling import Sample


@dataclass(frozen=True)
class Classes:
    """How one factor is divided: by breaks (numbers) or by its own values (classes)."""

    breaks: np.ndarray | None = None
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of classes."""
        return len(self.values) if self.breaks is None else len(self.breaks) + 1

    def index(self, values: np.ndarray) -> np.ndarray:
        """Class number of each value, 0 to count − 1; -1 where there is none. Same shape."""
        if self.breaks is not None:
            return classify(values, self.breaks)
        codes = np.asarray(sorted(self.values))
        at = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        return np.where(codes[at] == values, at, -1)


def divide(sample: Sample, classes: int, method: str) -> dict[str, Classes]:
    """Classes of every factor of `sample`: cut by `method`, or the classes it already has."""
    divided = {}
    for name in sample.names:
        column = sample.column(name)
        if name in sample.categories:
            known = sample.categories[name]
            values = tuple(sorted(set(known) | {int(v) for v in np.unique(column)}))
            divided[name] = Classes(values=values, labels=tuple(known.get(v, str(v)) for v in values))
        else:
            breaks = class_breaks(column, classes, method)
            edges = [f"{b:.6g}" for b in breaks]
            bounds = zip(["-inf", *edges], [*edges, "inf"], strict=True)
            divided[name] = Classes(breaks=breaks, labels=tuple(f"({a}, {b}]" for a, b in bounds))
    return divided


def count(
    layers: Layers, divided: Mapping[str, Classes], splits: Sequence[int] | None = (TRAINING,)
) -> dict[str, np.ndarray]:
    """Pixels of every class: {factor: (2, classes) int64}, row 0 outside landslides, row 1 in them.

    Counts every labelled pixel of `splits`, not a sample; one block in memory.
    """
    counts = {name: np.zeros((2, d.count), np.int64) for name, d in divided.items()}
    names = list(divided)
    for window, labels, inside in layers.labelled(splits):
        values = layers.values(window, names)[:, inside]
        slide = labels[inside] == LANDSLIDE
        for name, column in zip(names, values, strict=True):
            index = divided[name].index(column)
            for row, chosen in enumerate((~slide, slide)):
                found = index[chosen & (index >= 0)]
                counts[name][row] += np.bincount(found, minlength=divided[name].count)
    return counts


def evidence(counts: np.ndarray) -> pd.DataFrame:
    """Frequency ratio and weight of evidence from the pixel counts of one factor.

    With B the class and L landslide: frequency ratio = P(B|L) / P(B) (Lee and Pradhan 2007);
    W⁺ = ln P(B|L) / P(B|not L), W⁻ = ln P(not B|L) / P(not B|not L), contrast C = W⁺ − W⁻, its standard deviation
    from the sum of the reciprocals of the four counts, and C over that (Bonham-Carter 1994).

    Parameters
    ----------
    counts : (2, classes) pixels outside landslides, and in them.

    Returns
    -------
    One row for each class. Where one of the four counts is 0, ½ is added to all four (Haldane 1956) for the weights
    and the column ``corrected`` is true; the frequency ratio is never corrected. An empty class has NaN.
    """
    stable, slide = counts.astype(np.float64)
    total = stable + slide
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (slide / slide.sum()) / (total / total.sum())
        cells = np.stack([slide, slide.sum() - slide, stable, stable.sum() - stable])
        corrected = (cells == 0).any(axis=0)
        a, b, c, d = cells + 0.5 * corrected
        plus = np.log(a / (a + b)) - np.log(c / (c + d))
        minus = np.log(b / (a + b)) - np.log(d / (c + d))
    spread = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    table = pd.DataFrame(
        {
            "pixels": total.astype(np.int64),
            "landslide_pixels": slide.astype(np.int64),
            "frequency_ratio": ratio,
            "w_plus": plus,
            "w_minus": minus,
            "contrast": plus - minus,
            "contrast_std": spread,
            "studentised_contrast": (plus - minus) / spread,
            "corrected": corrected,
        }
    )
    table.loc[total == 0, ["frequency_ratio", "w_plus", "w_minus", "contrast", "contrast_std"]] = np.nan
    table.loc[total == 0, "studentised_contrast"] = np.nan
    return table


def table(divided: Mapping[str, Classes], counts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """`evidence` of all factors, with columns ``factor`` and ``class`` in front."""
    parts = []
    for name, classes in divided.items():
        part = evidence(counts[name])
        part.insert(0, "factor", name)
        part.insert(1, "class", list(classes.labels))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
