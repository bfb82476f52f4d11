"""Which surrogate training and attack take."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

SURROGATES = {
    "triangle of width 1": "{kind: Triangle, width: 1.0}",
    "triangle of width 2": "{kind: Triangle, width: 2.0}",
    "rectangle of width 1": "{kind: Rectangle, width: 1.0}",
    "arctan of slope 2": "{kind: Arctan, alpha: 2.0}",
    "sigmoid of slope 4": "{kind: Sigmoid, alpha: 4.0}",
}


def lines(context: Context) -> list[Asked]:
    """RSC-0.1 trained and attacked with each surrogate; the paper does not say which it uses."""
    arms = [Arm(name, "rsc0.1", (f"neuron.surrogate={spec}",)) for name, spec in SURROGATES.items()]
    return [context.white_box("surrogates", (*SUBJECT, arm), is_reliable=False) for arm in arms]
