"""Networks with one thing wrong each, on which the right verdict is known.

Images are 1x4x4 and grey (0.5) unless said otherwise; two classes, and the label is always 0.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.codings import RandomizedSmoothing
from rsc_snn.rng import Randomness, uniform_like

SHAPE = (1, 4, 4)


class _Replaced(torch.autograd.Function):
    """The first value forward, the derivative of the second backward."""

    @staticmethod
    def forward(ctx: Any, shown: Tensor, felt: Tensor) -> Tensor:
        return shown.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, grads[0]


def shown_and_felt(shown: Tensor, felt: Tensor) -> Tensor:
    value: Tensor = _Replaced.apply(shown, felt)  # type: ignore[no-untyped-call]
    return value


class Toy(nn.Module):
    """Right where ``margin`` is positive."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, images_BCHW: Tensor) -> Tensor:
        margin = self.margin(images_BCHW)
        return torch.stack([margin, -margin], dim=1)


class SingleStepWins(Toy):
    """Wrong far from grey; the gradient points outwards at grey itself and back to it everywhere else."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        way = (images_BCHW - 0.5).flatten(1)
        far = way.mean(1)
        shown = torch.where(far > 0.95 * 8 / 255, -1.0, 1.0)
        is_start = way.abs().amax(1) == 0
        felt = torch.where(is_start, -way.sum(1), (way**2).sum(1))
        return shown_and_felt(shown, felt)


class BlackBoxWins(Toy):
    """The mean brightness decides, which is rounded so finely that every gradient is zero."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        rounded = (images_BCHW * 4096).round() / 4096
        return 20 * (0.52 - rounded.flatten(1).mean(1))


class Shell(Toy):
    """Wrong in a thin shell around grey, right beyond it, and the gradient always points outwards."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        mean = images_BCHW.flatten(1).mean(1)
        far = (mean - 0.5).abs()
        shown = torch.where((far > 0.02) & (far < 0.04), -1.0, 1.0)
        return shown_and_felt(shown, -mean)


class NeverLost(Toy):
    """The mean brightness decides, far away, and there is no gradient."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        shown = torch.where(images_BCHW.flatten(1).mean(1) > 0.9, -1.0, 1.0)
        return shown_and_felt(shown, 0 * images_BCHW.flatten(1).sum(1))


class NoiseWins(Toy):
    """A random point is wrong with probability 1/4, and there is no gradient."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        pixels = images_BCHW.flatten(1)
        shown = torch.where((pixels[:, 0] > 0.5) & (pixels[:, 1] > 0.5), -1.0, 1.0)
        return shown_and_felt(shown, 0 * pixels.sum(1))


class Bright(Toy):
    """The honest twin: the mean brightness decides, and every gradient says so."""

    def margin(self, images_BCHW: Tensor) -> Tensor:
        return 20 * (0.52 - images_BCHW.flatten(1).mean(1))


class AbstractDouble(AbstractClassifier):
    """A classifier of one step that is written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.coding, self.num_steps = None, 1
        self.eval()

    @property
    def num_classes(self) -> int | None:
        return 2

    def varies(self, images: Tensor) -> bool:
        return self.coding is not None and self.coding.is_random

    @property
    def has_noise_of_its_own(self) -> bool:
        return False


class Stale(AbstractDouble):
    """Keeps half of its membrane from call to call."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Tensor | float = 0.0

    def logits_over_time(self, images: Tensor, generator: Randomness = None) -> Tensor:
        membrane = images.flatten(1).mean(1) + 0.5 * self.kept
        self.kept = membrane.detach().mean()
        return torch.stack([0.52 - membrane, membrane - 0.52], dim=1)[None]


class Frozen(AbstractDouble):
    """Says that it is random, and draws the same noise every time."""

    def __init__(self) -> None:
        super().__init__()
        self.coding = RandomizedSmoothing(variance=0.1)

    def logits_over_time(self, images: Tensor, generator: Randomness = None) -> Tensor:
        noise = uniform_like(images, 1, torch.Generator().manual_seed(0))[0]
        mean = (images + 0.1 * noise).flatten(1).mean(1)
        return torch.stack([0.57 - mean, mean - 0.57], dim=1)[None]


class Mixing(AbstractDouble):
    """Normalises over the batch: the answer depends on the other images."""

    def logits_over_time(self, images: Tensor, generator: Randomness = None) -> Tensor:
        mean = images.flatten(1).mean(1)
        margin = 0.02 - mean + mean.mean()
        return torch.stack([margin, -margin], dim=1)[None]


class Reseeding(nn.Module):
    """Adds noise after setting torch's global generator to the same state."""

    def forward(self, images_BCHW: Tensor) -> Tensor:
        torch.manual_seed(0)
        noisy = images_BCHW + 0.1 * torch.rand_like(images_BCHW)
        margin = 0.57 - noisy.flatten(1).mean(1)
        return torch.stack([margin, -margin], dim=1)


class Drawing(Reseeding):
    """The same without the seed."""

    def forward(self, images_BCHW: Tensor) -> Tensor:
        noisy = images_BCHW + 0.1 * torch.rand_like(images_BCHW)
        margin = 0.57 - noisy.flatten(1).mean(1)
        return torch.stack([margin, -margin], dim=1)


class Encoded(nn.Module):
    """A linear network of random weights behind an encoder of the pixels."""

    def __init__(self, num_classes: int = 4):
        super().__init__()
        weight = torch.randn(num_classes, 64, generator=torch.Generator().manual_seed(1))
        self.weight = nn.Parameter(weight)

    def encode(self, images_BCHW: Tensor) -> Tensor:
        return images_BCHW

    def forward(self, images_BCHW: Tensor) -> Tensor:
        return (self.encode(images_BCHW) - 0.5).flatten(1) @ self.weight.T


class Steep(Encoded):
    """Pushes every pixel to black or white."""

    def encode(self, images_BCHW: Tensor) -> Tensor:
        return torch.sigmoid((images_BCHW - 0.5) * 200)


class Quantised(Encoded):
    """Rounds pixels to five levels."""

    def encode(self, images_BCHW: Tensor) -> Tensor:
        return (4 * images_BCHW).round() / 4


def grey(num_images: int = 40) -> tuple[Tensor, Tensor]:
    """Grey images, all of class 0."""
    return torch.full((num_images, *SHAPE), 0.5), torch.zeros(num_images, dtype=torch.int64)
