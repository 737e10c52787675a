"""Linked phases of a block through torch, on a GPU: `link.link`'s answers to 1e-3 rad, by full eigendecompositions."""

from typing import Any

import numpy as np

from slipmap.deformation.phase_linking.covariance import NOTHING
from slipmap.deformation.phase_linking.kernel import ABSENT, BLEND_STEP, BOUND_BLEND, LEAST_INFORMATION
from slipmap.deformation.phase_linking.packed import LEAST_PIVOT
from slipmap.errors import InputError

CHUNK_BYTES = 256 * 2**20  # of covariances at a time


def check() -> None:
    """Whether there is a GPU.

    Raises
    ------
    InputError : there is none.
    """
    import torch

    if not torch.cuda.is_available():
        raise InputError("deformation.phase_linking.device is gpu, but torch finds none here; set it to cpu.")


def phases(
    samples: np.ndarray,
    weights: np.ndarray,
    *,
    estimator: str,
    regularisation: float,
    chosen: np.ndarray | None,
    bound: bool,
    device: str = "cuda",
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Phasors, goodness of fit, standard deviation times √(2 · looks) or None, and β; parameters as of `link.link`."""
    import torch

    dates, rows, cols, _ = samples.shape
    half, step = len(weights) // 2, max(1, CHUNK_BYTES // (8 * dates**2 * cols))
    found: list[tuple[Any, ...]] = []
    padded = np.pad(np.nan_to_num(samples), ((0, 0), (half, half), (half, half), (0, 0)))
    for r in range(0, rows, step):
        own = torch.from_numpy(padded[:, r : min(rows, r + step) + 2 * half]).to(device)
        mask = None if chosen is None else torch.from_numpy(chosen[:, r : r + step].astype(np.float32)).to(device)
        gamma, there = _coherences(own, [float(w) for w in weights], mask)
        found.append(_linked(gamma, there, estimator, regularisation, bound))

    def whole(part: int) -> np.ndarray:
        return np.asarray(torch.cat([one[part] for one in found]).cpu().numpy())

    deviation = np.moveaxis(whole(2), -1, 0) if bound else None
    return np.moveaxis(whole(0), -1, 0), whole(1), deviation, whole(3)


def _coherences(own: Any, weights: list[float], mask: Any) -> tuple[Any, Any]:
    """Γ of each pixel, (rows, cols, dates, dates), and which dates have data there; of samples with a margin."""
    import torch

    window = len(weights)
    rows, cols = own.shape[1] - window + 1, own.shape[2] - window + 1
    cells = torch.einsum("ircl,jrcl->rcij", own, own.conj())
    if mask is None:
        wide = torch.zeros_like(cells[:, :cols])
        for q, weight in enumerate(weights):
            wide += weight * cells[:, q : q + cols]
        total = torch.zeros_like(wide[:rows])
        for q, weight in enumerate(weights):
            total += weight * wide[q : q + rows]
    else:
        total = torch.zeros((rows, cols, *cells.shape[2:]), dtype=cells.dtype, device=cells.device)
        for q in range(window**2):
            i, j = divmod(q, window)
            total += weights[i] * weights[j] * mask[q, :, :, None, None] * cells[i : i + rows, j : j + cols]
    power = torch.diagonal(total, dim1=-2, dim2=-1).real
    there = power > NOTHING
    scale = torch.where(there, power.clamp_min(NOTHING).rsqrt(), 0)
    gamma = total * scale[..., :, None] * scale[..., None, :]
    torch.diagonal(gamma, dim1=-2, dim2=-1)[...] = 1
    return gamma, there


def _inverse(size: Any, blend: float) -> tuple[Any, Any]:
    """Inverse of (1 − β) |Γ| + β I, β raised until it is positive definite, and β."""
    import torch

    eye = torch.eye(size.shape[-1], device=size.device)
    used = torch.full(size.shape[:2], blend, device=size.device)
    while True:
        share = used[..., None, None]
        factor, failed = torch.linalg.cholesky_ex((1 - share) * size + share * eye)
        pivots = torch.diagonal(factor, dim1=-2, dim2=-1) ** 2
        bad = (failed > 0) | (pivots < LEAST_PIVOT).any(-1)
        if not bad.any():
            return torch.cholesky_inverse(factor), used
        used = torch.where(bad, (used + BLEND_STEP).clamp_max(1), used)


def _linked(gamma: Any, there: Any, estimator: str, regularisation: float, bound: bool) -> tuple[Any, ...]:
    """As `phases`, of coherence matrices."""
    import torch

    size = gamma.abs()
    torch.diagonal(size, dim1=-2, dim2=-1)[...] = 1
    used = torch.full(gamma.shape[:2], regularisation, device=gamma.device)
    matrix = -gamma
    if estimator == "emi":
        inverse, used = _inverse(size, regularisation)
        matrix = inverse * gamma
    diagonal = torch.diagonal(matrix, dim1=-2, dim2=-1)
    diagonal[...] = torch.where(there, diagonal, ABSENT)
    vector = torch.linalg.eigh(matrix)[1][..., 0]
    first = there.to(torch.uint8).argmax(-1, keepdim=True)
    phasor = torch.sgn(vector) * torch.sgn(vector.gather(-1, first)).conj() * there
    return phasor, _fit(gamma, size, phasor), _bound(size) if bound else None, used


def _fit(gamma: Any, size: Any, phasor: Any) -> Any:
    """Goodness of fit (`kernel`)."""
    import torch

    pairs = torch.tril(size > 1e-12, -1)
    cosine = (gamma * phasor[..., :, None].conj() * phasor[..., None, :]).real / size.clamp_min(1e-12)
    return (cosine * pairs).sum((-2, -1)) / pairs.sum((-2, -1)).clamp_min(1)


def _bound(size: Any) -> Any:
    """Standard deviation of each date's phase times √(2 · looks), relative to the first (`kernel`)."""
    import torch

    inverse, used = _inverse(size, BOUND_BLEND)
    information = (inverse * size * (1 - used[..., None, None]))[..., 1:, 1:]
    own = (torch.diagonal(inverse, dim1=-2, dim2=-1)[..., 1:] - 1).clamp_min(LEAST_INFORMATION)
    scale = own.rsqrt()
    scaled = (1 - LEAST_INFORMATION) * information * scale[..., :, None] * scale[..., None, :]
    torch.diagonal(scaled, dim1=-2, dim2=-1)[...] = 1
    found = torch.cholesky_inverse(torch.linalg.cholesky_ex(scaled)[0])
    deviation = torch.diagonal(found, dim1=-2, dim2=-1).sqrt() * scale
    return torch.cat([torch.zeros_like(deviation[..., :1]), deviation], -1)
