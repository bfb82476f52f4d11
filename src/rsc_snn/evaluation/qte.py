"""Quantification trade-off estimation, Eq. 6. Needs no torch."""

from collections.abc import Sequence

import numpy as np

from rsc_snn.errors import InputError
from rsc_snn.evaluation.intervals import Estimate, estimate


def qte(strengths: Sequence[float], accuracies: Sequence[float]) -> float:
    """Return the area under the accuracy over the attack strength [RSC-SNN, Eq. 6].

    Two strengths give the paper's |(eta_b - eta_a) (A(eta_b) + A(eta_a)) / 2|; more give the sum of the
    trapezoids.

    Args:
        strengths: Attack strengths in units of 1/255, strictly rising or strictly falling: (0, 8).
        accuracies: Accuracy at each strength, a fraction in [0, 1].

    Raises:
        InputError: fewer than two strengths, different lengths, percentages, or an order that turns back.
    """
    eta, accuracy = np.asarray(strengths, dtype=np.float64), np.asarray(accuracies, dtype=np.float64)
    if eta.ndim != 1 or eta.shape != accuracy.shape or len(eta) < 2:
        raise InputError(
            f"QTE needs one accuracy for each of at least two strengths, got {len(strengths)} strengths "
            f"and {len(accuracies)} accuracies"
        )
    if not (np.isfinite(eta).all() and ((accuracy >= 0) & (accuracy <= 1)).all()):
        raise InputError(f"accuracies must be fractions in [0, 1], got {list(accuracies)}")
    steps = np.diff(eta)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise InputError(f"strengths must rise (or fall) strictly, got {list(strengths)}")
    return float(abs(np.sum(steps * (accuracy[1:] + accuracy[:-1]) / 2)))


def qte_estimate(strengths: Sequence[float], per_image: Sequence[Sequence[float]]) -> Estimate:
    """Return the QTE of mean accuracies, with a 95 % interval over images.

    Args:
        strengths: As in ``qte``.
        per_image: For each strength the accuracy on each image, in [0, 1], images in the same order.

    Returns:
        The interval is Wilson's for the per-image QTE divided by its range (eta_b - eta_a), scaled back.
    """
    table = np.asarray(per_image, dtype=np.float64)
    span = abs(strengths[-1] - strengths[0])
    shares = [qte(strengths, column) / span for column in table.T.tolist()]
    return Estimate(*(span * value for value in estimate(shares)))
