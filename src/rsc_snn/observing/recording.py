"""One pass of a classifier with everything that its neurons did.

Axes: T time steps, B batch, N neurons of a layer, C H W image, K classes.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.attacks.conditions import evaluation_mode
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.networks.activation import Activation
from rsc_snn.neurons import AbstractNeuron
from rsc_snn.neurons.base import AbstractSpikingNeuron
from rsc_snn.rng import Randomness

# name, module, its first input and its output
See = Callable[[str, nn.Module, Tensor, Tensor], None]


@dataclass(frozen=True)
class LayerRecord:
    """What the neurons of a layer saw and did.

    Attributes:
        name: Where the layer stands in the network.
        neuron: Its neuron.
        current: Input current, [T, B, *N].
        activity: Spikes, or the rectified current of the twin, [T, B, *N].
    """

    name: str
    neuron: AbstractNeuron
    current: Float[Tensor, "T B *N"]
    activity: Float[Tensor, "T B *N"]

    def membranes(self) -> Float[Tensor, "T B *N"] | None:
        """Membrane of each step before the reset, by the neuron's own dynamics; None without a membrane."""
        if not isinstance(self.neuron, AbstractSpikingNeuron):
            return None
        return membranes(self.neuron, self.current)


@dataclass(frozen=True)
class Recording:
    """A pass of a classifier.

    Attributes:
        layers: What each layer of neurons did, in the order of the pass.
        coded: The current that the coding made, pixel units, [T, B, C, H, W].
        logits: Of each step, [T, B, K].
    """

    layers: tuple[LayerRecord, ...]
    coded: Float[Tensor, "T B C H W"]
    logits: Float[Tensor, "T B K"]


def record(
    classifier: SpikingClassifier, images: Float[Tensor, "B C H W"], generator: Randomness = None
) -> Recording:
    """Let a classifier answer in eval mode, and return what its neurons did.

    Classifier and network are left as they were, whatever happens. Without a look inside, normalisation,
    neurons and pooling may be computed in one step, which rounds otherwise in the last bits.

    Args:
        classifier: Its network has layers of this library's neurons.
        images: Pixels in [0, 1].
        generator: Where the noise of the coding comes from.

    Raises:
        InputError: the network has no layer of this library's neurons.
    """
    layers: list[LayerRecord] = []

    def see(name: str, module: nn.Module, current: Tensor, activity: Tensor) -> None:
        assert isinstance(module, Activation)
        layers.append(LayerRecord(name, module.neuron, current, activity))

    with torch.no_grad(), evaluation_mode(classifier), watched(classifier.network, (Activation,), see):
        coded = classifier.encode(images, generator)
        logits = classifier.respond(coded)
    return Recording(tuple(layers), coded, logits)


@contextlib.contextmanager
def watched(network: nn.Module, kinds: tuple[type[nn.Module], ...], see: See) -> Iterator[None]:
    """Call ``see`` after each submodule of some kinds has computed; look no more at the end.

    Args:
        network: A network with layers of this library's neurons.
        kinds: Classes of modules.
        see: Called with the name of the submodule, itself, its input and its output.

    Raises:
        InputError: the network has no layer of this library's neurons.
    """
    require_neurons(network)
    with contextlib.ExitStack() as stack:
        for path, module in network.named_modules():
            if isinstance(module, kinds):
                handle = module.register_forward_hook(_hook(layer_name(path), see))
                stack.callback(handle.remove)
        yield


def membranes(neuron: AbstractSpikingNeuron, current: Float[Tensor, "T *N"]) -> Float[Tensor, "T *N"]:
    """Return the membrane of each step, before the reset; it fires where this is at least the threshold."""
    found: list[Tensor] = []

    def fire(distance: Tensor) -> Tensor:
        found.append(distance + neuron.threshold)
        return (distance >= 0).to(distance.dtype)

    with torch.no_grad():
        neuron.driven(current, fire)
    return torch.stack(found)


def layer_name(path: str) -> str:
    """The path of a module in a network, without the parts that all layers share."""
    return path.removeprefix("layers.").removesuffix("activation").removesuffix(".") or "neurons"


def require_neurons(network: nn.Module) -> None:
    """Raise InputError unless there is a layer of this library's neurons in a network."""
    if not any(isinstance(module, Activation) for module in network.modules()):
        raise InputError(
            "expected a network with layers of this library's neurons, got "
            f"{type(network).__name__} without one; build it with rs.networks"
        )


def _hook(name: str, see: See) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        see(name, module, inputs[0], output)

    return hook
