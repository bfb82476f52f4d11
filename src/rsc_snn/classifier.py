"""A coding and a network together: images in, logits out."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.checks import require_images, require_num_steps
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import DTypeError, InputError, RangeError, ShapeError
from rsc_snn.networks.base import BuiltNetwork
from rsc_snn.networks.static import is_static, once
from rsc_snn.rng import Randomness, Streams, separate_global_state


class AbstractClassifier(nn.Module):
    """What attacks, evaluation and certification see: images in [0, 1] to logits, fresh at each call."""

    coding: AbstractCoding | None
    num_steps: int

    @abstractmethod
    def logits_over_time(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B K"]:
        """Return the logits of each step, from rest; gradients flow to images and parameters.

        Args:
            images: Pixels in [0, 1], any floating-point type.
            generator: Where the noise comes from; None is torch's default generator.

        Raises:
            ShapeError, DTypeError, RangeError: the images do not fit, or are not in [0, 1].
        """
        raise NotImplementedError

    @abstractmethod
    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether two calls with ``images`` can differ, so that scores need several draws."""
        raise NotImplementedError

    @property
    @abstractmethod
    def num_classes(self) -> int | None:
        """K, or None where only a call tells."""
        raise NotImplementedError

    @property
    @abstractmethod
    def has_noise_of_its_own(self) -> bool:
        """Whether a module that is not ours may draw numbers, perhaps the same for all rows of a call.

        Draws of an image then need a call each.
        """
        raise NotImplementedError

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """Return the mean of the logits over time, with noise from torch's default generator."""
        return self.logits(images)

    def logits(self, images: Float[Tensor, "B C H W"], generator: Randomness = None) -> Float[Tensor, "B K"]:
        """Return the mean of the logits over time."""
        return self.logits_over_time(images, generator).mean(0)


class SpikingClassifier(AbstractClassifier):
    """Encodes images, normalises the pixels of the current, and runs a network over time.

    A plain ``nn.Module``: any attack library can call it. It keeps nothing between calls. Noise is added
    in [0, 1], before the normalisation, so that its variance is in pixel units.

    Args:
        network: Any module that maps a current [T, B, C, H, W] to logits over time [T, B, K].
        coding: Where the current, and all randomness, comes from.
        num_steps: T, at least 1.
        mean: Per-channel mean of the pixels that the normalisation subtracts; None for 0.
        std: Per-channel standard deviation that it divides by, > 0; None for 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        coding: AbstractCoding,
        num_steps: int,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ):
        super().__init__()
        require_num_steps(num_steps)
        self.network = network
        self.coding: AbstractCoding = coding
        self.num_steps = num_steps
        self._mean = _per_channel(mean, default=0.0)
        self._std = _per_channel(std, default=1.0)
        if not all(0 < value < math.inf for value in self._std):
            raise RangeError(f"std must be finite and > 0 in every channel, got {self._std}")
        self.register_buffer("mean", torch.tensor(self._mean).reshape(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(self._std).reshape(-1, 1, 1), persistent=False)

    def logits_over_time(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B K"]:
        """Return the logits of each step, from rest; gradients flow to images and parameters."""
        self._require_fitting(images)
        foreign = None if isinstance(self.network, BuiltNetwork) else generator
        with separate_global_state(foreign, images.device):
            return self.respond(self.coding.encode(images, self.num_steps, generator=generator))

    def encode(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B C H W"]:
        """Return the current that the coding makes of images, with checks; the first half of a call."""
        self._require_fitting(images)
        return self.coding.encode(images, self.num_steps, generator=generator)

    def respond(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        """Return the logits of each step for a current in [0, 1]; the second half of a call.

        They have the precision of the classifier, also where autocast computes in a lower one.
        """
        logits: Tensor = self.network(self._normalised(current)).to(self.mean.dtype)
        if logits.ndim != 3 or logits.shape[:2] != current.shape[:2]:
            raise ShapeError(
                f"the network must return [T, B, K] = [{len(current)}, {current.shape[1]}, K], "
                f"got {list(logits.shape)}"
            )
        return logits

    @property
    def mean_per_channel(self) -> tuple[float, ...]:
        """The mean that is subtracted, one number per channel."""
        return self._mean

    @property
    def std_per_channel(self) -> tuple[float, ...]:
        """The standard deviation that is divided by, one number per channel."""
        return self._std

    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether the coding draws noise, or a network that is not ours does (found by trying)."""
        return self.coding.is_random or (not isinstance(self.network, BuiltNetwork) and differs(self, images))

    @property
    def num_classes(self) -> int | None:
        """K, or None for a network that is not ours."""
        return self.network.blueprint.num_classes if isinstance(self.network, BuiltNetwork) else None

    @property
    def has_noise_of_its_own(self) -> bool:
        """Whether the network is not ours."""
        return not isinstance(self.network, BuiltNetwork)

    def extra_repr(self) -> str:
        """Coding and T."""
        return f"coding={self.coding}, num_steps={self.num_steps}"

    def _normalised(self, current: Tensor) -> Tensor:
        """Subtract the mean and divide, once where all steps are one and the network knows what that is."""
        if is_static(current) and isinstance(self.network, BuiltNetwork):
            return ((once(current) - self.mean) / self.std).expand(current.shape)
        normalised: Tensor = (current - self.mean) / self.std
        return normalised

    def _require_fitting(self, images: Tensor) -> None:
        network = self.network
        shape = network.blueprint.image_shape if isinstance(network, BuiltNetwork) else None
        require_images(images, shape=shape)
        channels = max(len(self.mean), len(self.std))
        if channels not in (1, images.shape[1]):
            raise ShapeError(f"mean and std are for {channels} channels, images are {list(images.shape)}")
        if images.device != self.mean.device:
            raise InputError(
                f"images are on {images.device}, the classifier on {self.mean.device}; "
                f"move one of them: images.to({str(self.mean.device)!r})"
            )
        if images.dtype != self.mean.dtype:
            raise DTypeError(
                f"images are {images.dtype}, the classifier is {self.mean.dtype}; convert the images with "
                f"images.to({self.mean.dtype}), or the classifier with classifier.to({images.dtype})"
            )


def require_classifier(module: object) -> None:
    """Raise InputError unless ``module`` is a classifier that attacks and the judge can handle."""
    if not isinstance(module, AbstractClassifier):
        raise InputError(
            f"expected a SpikingClassifier, got {type(module).__name__}; wrap other modules with "
            "rs.wrap(module)"
        )


@torch.no_grad()
def differs(classifier: AbstractClassifier, images: Tensor) -> bool:
    """Whether the answers can vary, found by trying, on ``images`` or slightly faded ones.

    Faded, because a coding inside a foreign module may be certain about black and white. Two draws with
    equal logits do not prove that nothing varies, so that a call which takes numbers from torch's global
    generator counts as random whatever it returns.
    """
    indices = range(len(images))
    if _takes_numbers(classifier, images):
        return True
    for probe in (images, 0.05 + 0.9 * images):
        first, second = (classifier.logits(probe, Streams(draw, "probe", indices)) for draw in (0, 1))
        if not torch.equal(first, second):
            return True
    return False


def _takes_numbers(classifier: AbstractClassifier, images: Tensor) -> bool:
    """Whether a call advances torch's global generator, which is restored."""
    is_cuda = images.device.type == "cuda"
    with torch.random.fork_rng(devices=[images.device] if is_cuda else []):
        before = torch.get_rng_state()
        before_there = torch.cuda.get_rng_state(images.device) if is_cuda else before
        classifier.logits(images)
        if not torch.equal(before, torch.get_rng_state()):
            return True
        return is_cuda and not torch.equal(before_there, torch.cuda.get_rng_state(images.device))


def _per_channel(values: Sequence[float] | None, *, default: float) -> tuple[float, ...]:
    numbers = (default,) if values is None else tuple(float(value) for value in values)
    if len(numbers) not in (1, 3):
        raise ShapeError(f"mean and std take one number per channel (1 or 3), got {values!r}")
    return numbers
