"""What adversarial training brings to each coding."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

CODINGS = {"Direct": "direct", "Poisson": "poisson", "RSC-0.01": "rsc0.01", "RSC-0.1": "rsc0.1"}
# One step of 10/255 from a random start in the ball of 8/255 [Wong et al., arXiv:2001.03994].
_FAST = "objective.attack={kind: PGD, eps: 8/255, step_size: 10/255, num_steps: 1, random_start: true}"
_TRAININGS = {"": ("", ()), " + Adv": ("-adv", ()), " + Adv 8/255": ("-adv", (_FAST,))}


def lines(context: Context) -> list[Asked]:
    """Each coding plain, trained on FGSM images of 2/255 as the paper's, and on stronger ones of 8/255."""
    return [
        context.white_box("adversarial", (*SUBJECT, Arm(name + label, method + suffix, settings)))
        for name, method in CODINGS.items()
        for label, (suffix, settings) in _TRAININGS.items()
    ]
