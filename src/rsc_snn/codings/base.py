"""What a coding is: the only random stage between an image and the current of a network."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.guarantees import AbstractGuarantee
from rsc_snn.rng import Randomness
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractCoding(Spec):
    """Turns an image into a current over time, in pixel units."""

    @abstractmethod
    def encode(
        self, image: Float[Tensor, "B C H W"], num_steps: int, *, generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return the current of ``num_steps`` steps.

        Args:
            image: Pixels in [0, 1].
            num_steps: Time steps, at least 1.
            generator: Where random numbers come from: a torch.Generator, ``Streams`` (a draw of its own
                for each image), or None for torch's default generator.
        """
        raise NotImplementedError

    @property
    @abstractmethod
    def is_random(self) -> bool:
        """Whether two encodings of an image can differ."""
        raise NotImplementedError

    @property
    @abstractmethod
    def is_static(self) -> bool:
        """Whether the current is the same at every time step."""
        raise NotImplementedError

    def guarantee(self, num_steps: int, num_values: int) -> AbstractGuarantee | None:
        """Return what the noise proves about any network behind it; None if nothing.

        Args:
            num_steps: T.
            num_values: Pixel values of an image.
        """
        return None

    @property
    def is_clamped(self) -> bool:
        """Whether values are cut to a range, where the gradient with respect to the image becomes 0."""
        return False
