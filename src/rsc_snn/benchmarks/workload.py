"""What is computed: network, coding, T and batch, the same for all sides of a comparison."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import AbstractCoding, Direct, RandomizedSmoothing
from rsc_snn.networks import VGG5, AbstractNetwork, Blueprint, BuiltNetwork
from rsc_snn.networks.backends import set_backend
from rsc_snn.neurons import LIF, AbstractNeuron, ReLU
from rsc_snn.rng import derived_generator
from rsc_snn.runs.files import Row
from rsc_snn.spec import Spec

NUM_CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Workload(Spec):
    """A batch of random colour images and the network that sees them.

    Args:
        network: The network; its weights follow from the benchmark's seed.
        batch_size: Images.
        num_steps: T.
        coding: From images to current.
        image_size: Height and width.
    """

    network: AbstractNetwork
    batch_size: int
    num_steps: int
    coding: AbstractCoding = field(default_factory=Direct)
    image_size: int = 32

    def described(self, dtype: torch.dtype = torch.float32) -> Row:
        """Return it as plain data for a row."""
        return {
            "network": repr(self.network),
            "coding": repr(self.coding),
            "num_steps": self.num_steps,
            "batch_size": self.batch_size,
            "image_size": self.image_size,
            "dtype": str(dtype).removeprefix("torch."),
        }

    def spiking(self, backend: str, dtype: torch.dtype = torch.float32) -> BuiltNetwork:
        """Return the network with LIF neurons, computing with ``backend``, always of the same weights."""
        return self._built(LIF(), backend, dtype)

    def twin(self, backend: str, dtype: torch.dtype = torch.float32) -> "Unrolled":
        """Return the network with ReLU instead of LIF."""
        return Unrolled(self._built(ReLU(), backend, dtype))

    def _built(self, neuron: AbstractNeuron, backend: str, dtype: torch.dtype) -> BuiltNetwork:
        shape = (3, self.image_size, self.image_size)
        blueprint = Blueprint(network=self.network, neuron=neuron, num_classes=NUM_CLASSES, image_shape=shape)
        network = blueprint.build(generator=derived_generator(0, "benchmark")).to(dtype)
        set_backend(network, backend)
        return network

    def batch(self, device: torch.device, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Return images [B, 3, H, W] in [0, 1] and labels [B]."""
        generator = derived_generator(0, "benchmark images")
        shape = (self.batch_size, 3, self.image_size, self.image_size)
        images = torch.rand(shape, generator=generator).to(device, dtype)
        labels = torch.randint(0, NUM_CLASSES, (self.batch_size,), generator=generator).to(device)
        return images, labels

    def classifier(self, network: nn.Module, device: torch.device) -> SpikingClassifier:
        """Return coding and network together, of the network's precision."""
        dtype = next(network.parameters()).dtype
        return SpikingClassifier(network, self.coding, self.num_steps).to(device, dtype)


class Unrolled(nn.Module):
    """A network without time that sees T * B images as one batch: [T, B, C, H, W] -> [T, B, K]."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        """Logits of every step."""
        logits_1NK: Tensor = self.network(current_TBCHW.flatten(0, 1)[None])
        logits: Tensor = logits_1NK[0].unflatten(0, current_TBCHW.shape[:2])
        return logits


def usual_network(*, is_quick: bool) -> VGG5:
    """Return VGG-5 with 1024 hidden neurons, or a tiny one for a quick look."""
    return VGG5(hidden_width=64, width_divisor=8) if is_quick else VGG5(hidden_width=1024)


def usual_workload(*, is_quick: bool) -> Workload:
    """Return 32 images at T=4, coded by RSC-I, or less for a quick look."""
    return Workload(
        network=usual_network(is_quick=is_quick),
        batch_size=8 if is_quick else 32,
        num_steps=2 if is_quick else 4,
        coding=RandomizedSmoothing(variance=0.1),
    )
