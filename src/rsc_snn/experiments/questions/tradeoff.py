"""RSC beside Poisson coding, and beside noise on the ANN twin, at equal clean accuracy."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

VARIANCES = (0.01, 0.05, 0.1, 0.25, 0.5)
STEPS = (4, 8)
_ANN = ("neuron={kind: ReLU}", "num_steps=1")


def lines(context: Context) -> list[Asked]:
    """RSC and Gaussian noise on the ANN twin over the variance, and Poisson coding over T.

    Fewer time steps of Poisson coding are more noise: its accuracy is set beside the curve that RSC makes
    at the clean accuracy that Poisson coding has.
    """
    noisy = [(Arm("ANN + noise", f"rsc{variance}", _ANN), {"variance": variance}) for variance in VARIANCES]
    smoothed = [(Arm("RSC", f"rsc{variance}"), {"variance": variance}) for variance in VARIANCES]
    poisson = [(Arm("Poisson", "poisson", (f"num_steps={steps}",)), {"T": float(steps)}) for steps in STEPS]
    return [
        context.white_box("tradeoff", (*SUBJECT, arm), conditions, is_reliable=False)
        for arm, conditions in (*smoothed, *poisson, *noisy)
    ]
