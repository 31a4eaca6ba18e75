"""Robust non-negative regression of a series, and its wild block bootstrap.

Made for seconds measured on a shared machine: costs cannot be negative, some seconds belong to somebody else's
work, and neighbouring seconds err alike.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]

HUBER = 1.345
"""Residuals beyond this many robust standard deviations lose weight (95 % efficient under normal noise)."""
TUKEY = 4.685
"""Residuals beyond this many count for nothing (95 % efficient under normal noise)."""


def _nnls(design: Floats, values: Floats, weights: Floats) -> Floats:
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)
    root = np.sqrt(weights)
    return np.asarray(optimize.nnls(design / scale * root[:, None], values * root)[0]) / scale


def robust_nnls(design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return weights, shape (n,), and solution, shape (terms,), of the robust non-negative regression.

    Huber's weights lead near the solution, Tukey's then leave out what cannot belong to it. Residuals are
    judged relative to the fit: what a neighbour on the machine adds grows with the work it interrupts.
    """
    weights = np.ones(values.size)
    solution = _nnls(design, values, weights)
    for weigh in (_huber, _tukey):
        for _ in range(30):
            fitted = design @ solution
            relative = (values - fitted) / np.maximum(fitted, 1e-12)
            spread = 1.4826 * float(np.median(np.abs(relative - np.median(relative))))
            if spread < 1e-9:
                return np.ones(values.size), solution
            weights = weigh(relative / spread)
            before, solution = solution, _nnls(design, values, weights)
            if np.all(np.abs(solution - before) <= 1e-6 * np.maximum(solution, 1e-12)):
                break
    return weights, solution


def _huber(deviation: Floats) -> Floats:
    return np.minimum(1.0, HUBER / np.maximum(np.abs(deviation), 1e-12))


def _tukey(deviation: Floats) -> Floats:
    return np.clip(1.0 - (deviation / TUKEY) ** 2, 0.0, None) ** 2


def memory(residuals: Floats, run: NDArray[np.int64]) -> int:
    """Return a block length in seconds: twice the residuals' integrated autocorrelation time, 5 to n / 8."""
    centred = residuals - np.median(residuals)
    spread = 3.0 * 1.4826 * float(np.median(np.abs(centred)))
    centred = np.clip(centred, -spread, spread)  # an outlier must not hide how alike its neighbours are
    centred -= centred.mean()
    variance = float(np.mean(centred**2))
    time = 1.0
    for lag in range(1, min(30, residuals.size // 4)):
        same = run[lag:] == run[:-lag]
        correlation = float(np.sum((centred[lag:] * centred[:-lag])[same])) / max(residuals.size * variance, 1e-30)
        if correlation < 0.05:
            break
        time += 2.0 * correlation
    return int(np.clip(np.ceil(2.0 * time), min(5, residuals.size // 8), residuals.size // 8))


def wild_block_bootstrap(
    design: Floats,
    fitted: Floats,
    residuals: Floats,
    weights: Floats,
    run: NDArray[np.int64],
    block: int,
    count: int,
    rng: np.random.Generator,
) -> Floats:
    """Return ``count`` draws of the solution, shape (count, terms); blocks are ``block`` rows of one ``run``.

    A residual is smaller than the error it stands for where its block pulls the fit to itself; it is enlarged
    by the block's leverage (as in the jackknife-like CR3 estimate), else the intervals come out too narrow.
    """
    n, terms = design.shape
    weighted = design * weights[:, None]
    leverage = np.einsum("ij,ji->i", design, np.linalg.pinv(weighted.T @ design) @ weighted.T)
    place = np.arange(n)
    draws = np.empty((count, terms))
    for index in range(count):
        blocks = (place + int(rng.integers(block))) // block + run * (n + block)
        number = np.unique(blocks, return_inverse=True)[1]
        pull = np.minimum(np.bincount(number, leverage), 0.8)[number]
        signs = rng.choice((-1.0, 1.0), int(number.max()) + 1)[number]
        draws[index] = _nnls(design, fitted + residuals / (1.0 - pull) * signs, weights)
    return draws
