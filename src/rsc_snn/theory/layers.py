"""Linear layers that the theorems are tried on: single pixels, random weights, a network's first layer."""

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.rng import derived_generator
from rsc_snn.theory.covariance import Layer

_CHANNELS = 16


def identity_layer(patch_shape: tuple[int, int, int]) -> Layer:
    """Return the layer whose outputs are the coded pixels themselves."""
    size = math.prod(patch_shape)
    return Layer(
        "single pixels", torch.eye(size, dtype=torch.float64), torch.zeros(size).double(), patch_shape
    )


def random_layer(num_outputs: int, patch_shape: tuple[int, int, int], *, seed: int) -> Layer:
    """Return a layer with weights N(0, 1 / D) and biases N(0, 1)."""
    size = math.prod(patch_shape)
    generator = derived_generator(seed, "theory: layer", num_outputs, *patch_shape)
    weight = torch.randn(num_outputs, size, generator=generator, dtype=torch.float64) / math.sqrt(size)
    bias = torch.randn(num_outputs, generator=generator, dtype=torch.float64)
    return Layer(f"random {num_outputs} x {size}", weight, bias, patch_shape)


@dataclass(frozen=True)
class FirstLayer:
    """Some outputs of a network's first convolution.

    Attributes:
        layer: In pixel units: the classifier's normalisation and the network's padding are parts of it.
        top: First row of the patch in the image.
        left: First column.
    """

    layer: Layer
    top: int
    left: int

    def patch(self, image: Float[Tensor, "C H W"]) -> Float[Tensor, "C h w"]:
        """Cut the pixels that the outputs see."""
        _, height, width = self.layer.patch_shape
        return image[:, self.top : self.top + height, self.left : self.left + width]


def first_layer(classifier: SpikingClassifier, image_shape: tuple[int, int, int], *, name: str) -> FirstLayer:
    """Return the first convolution at two neighbouring places in the middle, at most 16 channels of each.

    Its rows are derivatives of the module's own outputs, before batch normalisation, so that nothing about
    it has to be known.

    Args:
        classifier: Any classifier of ours.
        image_shape: C, H, W.
        name: What rows call the layer.

    Raises:
        InputError: the network does not begin with a convolution.
    """
    classifier = copy.deepcopy(classifier).double().eval()
    pixels = torch.zeros(image_shape, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        outputs = _chosen(_convolved(classifier, pixels))
        rows = [torch.autograd.grad(output, pixels, retain_graph=True)[0] for output in outputs]
    weight = torch.stack(rows)
    used = weight.abs().amax((0, 1))
    (top, bottom), (left, right) = (_span(used.amax(axis)) for axis in (1, 0))
    cut = weight[:, :, top:bottom, left:right]
    shape = (image_shape[0], bottom - top, right - left)
    return FirstLayer(Layer(name, cut.flatten(1), outputs.detach(), shape), top, left)


class _Seen(Exception):  # noqa: N818 - it ends a forward pass that has shown enough
    pass


def _convolved(classifier: SpikingClassifier, pixels: Tensor) -> Tensor:
    """Output [C', H', W'] of the first convolution for one step of a current."""
    conv = next((module for module in classifier.network.modules() if isinstance(module, nn.Conv2d)), None)
    if conv is None:
        raise InputError("the network has no convolution; give a run whose first layer is one")
    seen: list[Tensor] = []

    def look(module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen.append(output)
        raise _Seen

    conv.register_forward_hook(look)
    try:
        classifier.respond(pixels[None, None])
    except _Seen:
        return seen[0][0]
    raise InputError("the network does not begin with its first convolution; give a run of our networks")


def _chosen(outputs: Tensor) -> Tensor:
    """[C', H', W'] -> [M]."""
    channels, height, width = outputs.shape
    step = max(1, channels // _CHANNELS)
    column = width // 2
    return outputs[::step, height // 2, column : column + 2][:_CHANNELS].flatten()


def _span(used: Tensor) -> tuple[int, int]:
    places = used.nonzero().flatten()
    if len(places) == 0:
        raise InputError("the first layer's weights are all 0; train the network first")
    return int(places[0]), int(places[-1]) + 1
