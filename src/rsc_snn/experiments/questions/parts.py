"""What each part of E-RSCT brings."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

_WEIGHT = "objective.kd_weight"
ARMS = (
    Arm("RSC-0.1", "rsc0.1"),
    Arm("pre-synaptic loss only", "rsc0.1", ("objective={kind: TET}",)),
    Arm("distillation only", "ersct", ("objective.presynaptic={kind: CrossEntropy}",)),
    Arm("E-RSCT", "ersct"),
    Arm("E-RSCT lambda 0.01", "ersct", (f"{_WEIGHT}=0.01",)),
    Arm("E-RSCT lambda 0.5", "ersct", (f"{_WEIGHT}=0.5",)),
    Arm("E-RSCT lambda 1", "ersct", (f"{_WEIGHT}=1",)),
)


def lines(context: Context) -> list[Asked]:
    """E-RSCT at variance 0.1, its losses alone, and other weights of the distillation than 0.1."""
    return [context.white_box("parts", (*SUBJECT, arm), is_reliable=False) for arm in ARMS]
