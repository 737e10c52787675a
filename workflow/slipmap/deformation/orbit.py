"""Perpendicular baselines from orbits."""

import numpy as np


def position_at_closest_approach(
    times: np.ndarray, positions: np.ndarray, velocities: np.ndarray, ground: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Satellite position and velocity when the ground point is abeam (zero Doppler).

    Parameters
    ----------
    times : (n,) s. positions, velocities : (n, 3), Earth-fixed, m and m/s; state vectors, about 10 s apart.
    ground : (3,) Earth-fixed point, m.

    Notes
    -----
    Positions between state vectors follow a polynomial through the eight nearest; Newton's method finds the time.
    """
    ahead = np.einsum("nk,nk->n", ground - positions, velocities)
    at = float(np.interp(0.0, -ahead, times))  # the point comes from ahead and falls behind: −ahead grows
    near = np.sort(np.argsort(np.abs(times - at))[:8])
    scale = max(1.0, float(np.ptp(times[near])) / 2)
    t = (times[near] - at) / scale
    degree = min(7, len(near) - 1)
    orbit = [np.polynomial.Polynomial.fit(t, positions[near, k], degree) for k in range(3)]
    u = 0.0
    for _ in range(10):
        p = np.array([o(u) for o in orbit])
        v = np.array([o.deriv()(u) for o in orbit])
        a = np.array([o.deriv(2)(u) for o in orbit])
        miss = (ground - p) @ v
        step = miss / (-(v @ v) + (ground - p) @ a)
        u -= step
        if abs(step) * scale < 1e-9:
            break
    return np.array([o(u) for o in orbit]), np.array([o.deriv()(u) for o in orbit]) / scale


def perpendicular_baseline(
    reference: tuple[np.ndarray, np.ndarray], secondary: tuple[np.ndarray, np.ndarray], ground: np.ndarray
) -> float:
    """Component (m) of the baseline across the reference's line of sight, positive above it (GAMMA's sign).

    With this sign a point that is δz higher than the DEM seems displaced by B⊥ δz / (R sinθ) towards the satellite
    from the reference to the secondary.

    Parameters
    ----------
    reference, secondary : position and velocity at closest approach. ground : (3,) m.
    """
    position, _ = reference
    look = (ground - position) / np.linalg.norm(ground - position)
    up = position / np.linalg.norm(position)
    outward = up - (up @ look) * look
    return float((secondary[0] - position) @ outward / np.linalg.norm(outward))
