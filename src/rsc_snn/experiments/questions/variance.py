"""The noise level of the paper read as a variance and as a standard deviation."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

VARIANCES = (0.0001, 0.01, 0.1, 0.25, 0.5)


def lines(context: Context) -> list[Asked]:
    """RSC at the variances that the names RSC-0.01, RSC-0.1 and RSC-0.5 mean in either reading.

    As variances they are 0.01, 0.1 and 0.5; as standard deviations they are the variances 0.0001, 0.01 and
    0.25. Direct coding stands for no noise: the first line.
    """
    arms = [(0.0, Arm("Direct", "direct")), *((v, Arm("RSC", f"rsc{v:.4g}")) for v in VARIANCES)]
    return [
        context.white_box("variance", (*SUBJECT, arm), {"variance": variance}, is_reliable=False)
        for variance, arm in arms
    ]
