"""Uniform noise."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.noise import AbstractNoise
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class UniformNoise(AbstractNoise):
    """Random points, uniform in the ball; the worst of them is the answer."""

    def sample(self, images: Float[Tensor, "B C H W"], *, generator: Randomness) -> Float[Tensor, "B C H W"]:
        """Return points uniform in the ball of the norm."""
        return self.norm.random(images, self.eps, generator=generator)


EXAMPLES = (UniformNoise(), UniformNoise(num_steps=5))
