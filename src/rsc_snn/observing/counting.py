"""Activity and operations of the layers of a network, image by image.

Axes: T time steps, B batch, N neurons of a layer, C H W image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from rsc_snn.attacks.conditions import evaluation_mode
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.networks.activation import Activation
from rsc_snn.networks.blocks import Pool
from rsc_snn.networks.static import is_static
from rsc_snn.observing.fan_out import Weights, arrivals, connections
from rsc_snn.observing.recording import watched
from rsc_snn.rng import Randomness

READ_OUT = "readout"
_POOLED = 4  # neurons that share an output of a pool
_NEAR = 1e-3


@dataclass(frozen=True)
class LayerActivity:
    """What a layer did, and the operations that gave it its current.

    Attributes:
        name: Where it stands in the network; "readout" is what comes after the last neurons.
        is_spiking: Whether its neurons spike; None for the read-out, which has none.
        num_neurons: Neurons; 0 for the read-out.
        rates: Spikes per neuron and step of each image, for rectified neurons the share above 0; None for
            the read-out.
        fired: Whether a neuron was active in some step of some image, flat.
        accumulates: Additions of a weight because of a spike, of each image.
        multiply_accumulates: Multiplications by a weight of numbers that are not spikes, of each image.
        connections: Weights that one dense pass multiplies by: the operations of the non-spiking twin.
    """

    name: str
    is_spiking: bool | None
    num_neurons: int
    rates: Float64[Tensor, "B"] | None
    fired: Bool[Tensor, "N"]
    accumulates: Float64[Tensor, "B"]
    multiply_accumulates: Float64[Tensor, "B"]
    connections: int


def count_activity(
    classifier: SpikingClassifier, images: Float[Tensor, "B C H W"], generator: Randomness = None
) -> tuple[LayerActivity, ...]:
    """Return what each layer did while the classifier answered once, in eval mode, in the order of the pass.

    A spike costs an addition at each neuron that it reaches, through an average pool or a mean over space as
    well. Pixels cost a multiplication for each connection, once where the current is the same at every step,
    else at every step; an image whose coded pixels are all 0 or 1 sends spikes instead. The activity of
    rectified neurons is multiplied by each weight, zeros included. Normalisation, biases and the
    neurons themselves are not counted.

    Args:
        classifier: Its network has layers of this library's neurons.
        images: Pixels in [0, 1].
        generator: Where the noise of the coding comes from.

    Raises:
        InputError: the network has no layer of this library's neurons.
    """
    kinds = (Activation, nn.Conv2d, nn.Linear, Pool)
    with torch.no_grad(), evaluation_mode(classifier):
        coded = classifier.encode(images, generator)
        counter = _Counter(_Pixels.of(classifier, coded), len(images))
        with watched(classifier.network, kinds, counter.see):
            classifier.respond(coded)
    return (*counter.layers, counter.finished(READ_OUT))


def joined(parts: Sequence[tuple[LayerActivity, ...]]) -> tuple[LayerActivity, ...]:
    """Return the activity over the images of several batches, in their order."""
    return tuple(_joined(layers) for layers in zip(*parts, strict=True))


def _joined(parts: Sequence[LayerActivity]) -> LayerActivity:
    first = parts[0]
    rates = [part.rates for part in parts if part.rates is not None]
    return LayerActivity(
        first.name,
        first.is_spiking,
        first.num_neurons,
        torch.cat(rates) if rates else None,
        torch.stack([part.fired for part in parts]).any(0),
        torch.cat([part.accumulates for part in parts]),
        torch.cat([part.multiply_accumulates for part in parts]),
        first.connections,
    )


@dataclass(frozen=True)
class _Pixels:
    """What the first weights see, as a network sees it: after the normalisation of pixels.

    Attributes:
        on: A pixel of 1, per channel.
        are_spikes: Whether all pixels of an image are 0 or 1, [B].
        num_different: Steps that differ from each other: T, or 1.
    """

    on: Float[Tensor, "C 1 1"]
    are_spikes: Bool[Tensor, "B"]
    num_different: int

    def are_on(self, values: Tensor) -> Tensor:
        """Where values [S, B, C, H, W] or [S, B, C * H * W] are pixels of 1; a border of zeros is none."""
        on = self.on
        if values.ndim == 3:
            on = on.flatten().repeat_interleave(values.shape[-1] // len(on))
        return (values - on).abs() < _NEAR * on.abs().clamp_min(1)

    @classmethod
    def of(cls, classifier: SpikingClassifier, coded: Float[Tensor, "T B C H W"]) -> "_Pixels":
        are_spikes = ((coded == 0) | (coded == 1)).flatten(2).all(2).all(0)
        return cls((1 - classifier.mean) / classifier.std, are_spikes, 1 if is_static(coded) else len(coded))


@dataclass
class _Counter:
    """Counts while a network computes; operations wait for the neurons that they lead to."""

    pixels: _Pixels
    num_images: int
    layers: list[LayerActivity] = field(default_factory=list)
    accumulates: Float64[Tensor, "B"] | float = 0.0
    multiply_accumulates: Float64[Tensor, "B"] | float = 0.0
    connections: int = 0
    pooled: int = 1
    neurons_before: int = 0

    def see(self, name: str, module: nn.Module, values: Tensor, output: Tensor) -> None:
        """Count one module."""
        if isinstance(module, Pool):
            self.pooled = _POOLED
        elif isinstance(module, Activation):
            self.layers.append(self.finished(name, module.neuron.is_spiking, output))
            self.neurons_before = self.layers[-1].num_neurons
        else:
            assert isinstance(module, Weights)
            self._see_weights(module, values)

    def finished(
        self, name: str, is_spiking: bool | None = None, activity: Tensor | None = None
    ) -> LayerActivity:
        """Return the layer that all operations since the last one led to."""
        rates, fired = None, torch.zeros(0, dtype=torch.bool)
        if activity is not None:
            is_active = activity.flatten(2) > 0
            rates, fired = is_active.double().mean((0, 2)).cpu(), is_active.any(0).any(0).cpu()
        nothing = torch.zeros(self.num_images, dtype=torch.float64)
        layer = LayerActivity(
            name,
            is_spiking,
            len(fired),
            rates,
            fired,
            nothing + self.accumulates,
            nothing + self.multiply_accumulates,
            self.connections,
        )
        self.accumulates, self.multiply_accumulates, self.connections = 0.0, 0.0, 0
        return layer

    def _see_weights(self, weights: Weights, values: Tensor) -> None:
        num_axes = 1 if isinstance(weights, nn.Linear) else 3
        given = values.reshape(-1, self.num_images, *values.shape[-num_axes:])
        dense = connections(weights, tuple(given.shape[2:]))
        self.connections += dense
        if not self.layers:
            spikes = self.pixels.are_on(given)
            steps = self.pixels.num_different
            sent = self._sent(weights, spikes.double() * (steps / len(given)))
            self.accumulates += torch.where(self.pixels.are_spikes.cpu(), sent, 0.0)
            self.multiply_accumulates += torch.where(self.pixels.are_spikes.cpu(), 0.0, float(dense * steps))
        elif self.layers[-1].is_spiking:
            per_value = self.pooled
            if num_axes == 1:  # whatever lies between the neurons and a linear layer is averaging
                per_value = self.neurons_before // given.shape[-1]
            self.accumulates += self._sent(weights, (given.double() * per_value).round())
        else:
            self.multiply_accumulates += float(dense * len(given))
        self.pooled = 1

    def _sent(self, weights: Weights, events_SBN: Tensor) -> Tensor:
        arrived = arrivals(weights, events_SBN.flatten(0, 1))
        of_images: Tensor = arrived.unflatten(0, (-1, self.num_images)).sum(0)
        return of_images.cpu()
