"""What an active area does: velocity along the line of sight and downslope with standard deviations, and its series."""

import numpy as np

from slipmap.deformation.geometry import MIN_SENSITIVITY
from slipmap.motion.clusters import Standing

QUALITY_NAMES = {1: "very good", 2: "good", 3: "fair", 4: "poor"}
# Least index of temporal and of spatial noise for the classes 1, 2 and 3 of quality; below: 4.
QUALITY = {1: 0.8, 2: 0.6, 3: 0.4}


def velocities(standing: Standing, inside: np.ndarray) -> dict[str, float]:
    """Mean and largest velocity of an area, mm/yr, with standard deviations (columns ending in _std).

    The mean's deviation is the mean of those of the local means: their errors are taken as fully shared, since the
    atmosphere's are over an area of this size. The downslope velocity fits those in the line of sight best,
    Σ s·v / Σ s², over the pixels where the radar sees downslope motion; the largest is that of the fastest of them.
    """
    known = inside & np.isfinite(standing.significance)
    v, std, s = (a[known].astype(np.float64) for a in (standing.velocity, standing.deviation, standing.sensitivity))
    top = int(np.abs(v).argmax())
    found = {
        "pixels": int(known.sum()),
        "significance": float(np.abs(standing.significance[known]).max()),
        "velocity_mean": float(v.mean()),
        "velocity_mean_std": float(std.mean()),
        "velocity_max": float(v[top]),
        "velocity_max_std": float(std[top]),
    }
    names = ("downslope_mean", "downslope_mean_std", "downslope_max", "downslope_max_std", "sensitivity")
    seen = np.abs(s) >= MIN_SENSITIVITY
    if not seen.any():
        return found | dict.fromkeys(names, float("nan"))
    v, std, s = v[seen], std[seen], s[seen]
    power = (s**2).sum()
    top = int((v * np.sign(s)).argmax())
    values = (
        (s * v).sum() / power,
        (np.abs(s) * std).sum() / power,
        v[top] / s[top],
        std[top] / abs(s[top]),
        np.sqrt(power / s.size),
    )
    return found | {name: float(value) for name, value in zip(names, values, strict=True)}


def noise(series: np.ndarray) -> dict[str, float]:
    """Indices of temporal and spatial noise of an area's series, and the class of quality that follows.

    After the two indices of Barra et al. (2017, Remote Sensing 9, 1002): how far each series follows its own past
    (its autocorrelation from one date to the next, the mean over pixels) and its neighbours (its correlation with
    the mean of the others). The limits `QUALITY` are ours: class 1 has both at 0.8 and above, 4 has one below 0.4.

    Parameters
    ----------
    series : (dates, pixels), mm; dates that nobody saw are NaN.
    """
    seen = series[np.isfinite(series).all(axis=1)]
    seen = seen - seen.mean(axis=0) if len(seen) else seen
    temporal = spatial = float("nan")
    if len(seen) >= 3:
        power = (seen**2).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            temporal = float(np.nanmean((seen[1:] * seen[:-1]).sum(axis=0) / power))
            if seen.shape[1] > 1:
                others = (seen.sum(axis=1, keepdims=True) - seen) / (seen.shape[1] - 1)
                related = (seen * others).sum(axis=0) / np.sqrt(power * (others**2).sum(axis=0))
                spatial = float(np.nanmean(related))
    worst = min(temporal, spatial) if np.isfinite(spatial) else float("nan")
    quality = next((number for number, least in QUALITY.items() if worst >= least), 4)
    return {"temporal_noise_index": temporal, "spatial_noise_index": spatial, "quality": quality}
