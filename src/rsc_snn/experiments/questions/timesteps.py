"""How many time steps."""

from rsc_snn.experiments.arm import Arm
from rsc_snn.experiments.questions.networks import SUBJECT
from rsc_snn.experiments.tables.context import Asked, Context

STEPS = (1, 2, 4, 8, 16)


def lines(context: Context) -> list[Asked]:
    """RSC-0.1 trained and attacked with T from 1 to 16; the paper does not say which T it uses."""
    return [
        context.white_box(
            "timesteps",
            (*SUBJECT, Arm("RSC-0.1", "rsc0.1", (f"num_steps={steps}",))),
            {"T": steps},
            is_reliable=False,
        )
        for steps in STEPS
    ]
