"""What a network spec is: a frozen description that builds a torch module."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.neurons import LIF, AbstractNeuron
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractNetwork(Spec):
    """A network, defined once and built with any neuron: LIF, or ReLU for the ANN twin."""

    @final
    def build(
        self,
        *,
        num_classes: int = 10,
        image_shape: tuple[int, int, int] = (3, 32, 32),
        neuron: AbstractNeuron = LIF(),  # noqa: B008 - frozen
        generator: Generator | None = None,
    ) -> "BuiltNetwork":
        """Return a module: current [T, B, C, H, W] -> logits over time [T, B, K].

        It is made on the CPU, whatever torch's default device, so that a generator means the same weights
        everywhere; but inside ``with torch.device("meta")`` it has shapes and no memory, which is enough
        to count parameters and to follow the shapes of a current of that device.

        Args:
            num_classes: K, at least 2.
            image_shape: C, H, W.
            neuron: The nonlinearity after every layer but the last.
            generator: For the initial weights; None is torch's default generator.

        Raises:
            RangeError, ShapeError: too few classes, or images that the network cannot take.
        """
        blueprint = Blueprint(network=self, neuron=neuron, num_classes=num_classes, image_shape=image_shape)
        return blueprint.build(generator=generator)

    @abstractmethod
    def layers(self, blueprint: "Blueprint", generator: Generator | None) -> nn.Module:
        """Return the module; raise ShapeError for images that it cannot take."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Blueprint(Spec):
    """Everything needed to build a network again, but its weights."""

    network: AbstractNetwork
    neuron: AbstractNeuron = field(default_factory=LIF)
    num_classes: int = 10
    image_shape: tuple[int, int, int] = (3, 32, 32)

    def __post_init__(self) -> None:
        if self.num_classes < 2:
            raise RangeError(f"num_classes must be at least 2, got {self.num_classes}")
        if len(self.image_shape) != 3 or self.image_shape[0] not in (1, 3) or min(self.image_shape) < 1:
            raise ShapeError(f"image_shape must be (1 or 3, H, W), got {self.image_shape}")

    def build(self, *, generator: Generator | None = None) -> "BuiltNetwork":
        """Return the network with fresh weights, on the CPU, or without memory on the meta device."""
        is_meta = torch.get_default_device().type == "meta"
        with torch.device("meta" if is_meta else "cpu"):
            return BuiltNetwork(self.network.layers(self, generator), self)


class BuiltNetwork(nn.Module):
    """A network that remembers what it was built from; keeps nothing between calls."""

    def __init__(self, layers: nn.Module, blueprint: Blueprint):
        super().__init__()
        self.layers = layers
        self.blueprint = blueprint

    def forward(self, current: Float[Tensor, "T B C H W"]) -> Float[Tensor, "T B K"]:
        """Return the logits of every step; each call starts from rest."""
        logits: Tensor = self.layers(current)
        return logits


def require_width_divisor(width_divisor: int, *, widths: tuple[int, ...]) -> None:
    """Raise unless ``width_divisor`` divides every width."""
    if width_divisor < 1 or any(width % width_divisor for width in widths):
        shown = ", ".join(map(str, widths))
        raise RangeError(f"width_divisor must divide the widths {shown}, got {width_divisor}")


def require_divisible(image_shape: tuple[int, int, int], *, divisor: int) -> None:
    """Raise unless pooling divides the image without a remainder."""
    _, height, width = image_shape
    if height < divisor or width < divisor or height % divisor or width % divisor:
        raise ShapeError(
            f"height and width must be multiples of {divisor}, got {height} x {width}; pad or resize"
        )
