"""Direct coding: the image itself, at every step."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.checks import require_num_steps
from rsc_snn.codings.base import AbstractCoding
from rsc_snn.rng import Randomness, Streams


@dataclass(frozen=True, kw_only=True)
class Direct(AbstractCoding):
    """Repeats the image at every step, without noise [RSC-SNN, Section 1].

    The gradient with respect to the image is exact: the sum over steps.
    """

    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return ``image`` repeated; a draw of ``Streams`` is counted, but no number is used."""
        require_num_steps(num_steps)
        if isinstance(generator, Streams):
            generator.skip()  # every encoding takes a draw, so that noise elsewhere in a network is fresh
        return image.expand(num_steps, *image.shape)

    @property
    def is_random(self) -> bool:
        """False: the image is passed on as it is."""
        return False

    @property
    def is_static(self) -> bool:
        """True."""
        return True


EXAMPLES = (Direct(),)
