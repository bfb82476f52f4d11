"""Noise drawn once or at every step: RSC-I beside RSC-II."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

VARIANCES = (0.01, 0.1)
_KINDS = {"RSC-I": "rsc", "RSC-II": "rsc2-"}


def lines(context: Context) -> list[Asked]:
    """Both at each variance; the paper prefers RSC-I without a number."""
    return [
        context.white_box(
            "resampling",
            (*SUBJECT, Arm(name, f"{method}{variance}")),
            {"variance": variance},
            is_reliable=False,
        )
        for variance in VARIANCES
        for name, method in _KINDS.items()
    ]
