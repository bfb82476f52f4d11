"""Gaussian noise."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks.noise import AbstractNoise
from rsc_snn.rng import Randomness, normal_like


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(AbstractNoise):
    """Random points: Gaussian noise, scaled so that its norm is eps; the worst of them is the answer.

    In l_inf the pixel of largest change moves by eps, in l_2 the point is uniform on the sphere of radius
    eps; clipping to [0, 1] comes afterwards.
    """

    def sample(self, images: Float[Tensor, "B C H W"], *, generator: Randomness) -> Float[Tensor, "B C H W"]:
        """Return scaled Gaussian noise, of norm eps."""
        return self.norm.stretched(normal_like(images, 1, generator)[0], self.eps)


EXAMPLES = (GaussianNoise(), GaussianNoise(num_steps=5))
