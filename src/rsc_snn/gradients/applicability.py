"""Which classifiers have spiking neurons that a path can differentiate otherwise."""

from torch import Tensor

from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients.base import AbstractGradient, Obstacle
from rsc_snn.gradients.sites import OwnSite, find_sites
from rsc_snn.gradients.sites.foreign import unreplaceable
from rsc_snn.networks.activation import Activation
from rsc_snn.networks.base import BuiltNetwork
from rsc_snn.neurons import AbstractSpikingNeuron


def spiking_obstacle(classifier: AbstractClassifier, images: Tensor, *, needs_time: bool) -> Obstacle | None:
    """Return why the neurons of a classifier cannot be differentiated otherwise, or None.

    Args:
        classifier: In eval mode.
        images: A few images [B, C, H, W] in [0, 1], on which a foreign network is tried.
        needs_time: Whether whole runs over time are replaced, which only neurons of this library allow.
    """
    obstacle = _obstacle_in_modules(classifier, needs_time=needs_time)
    if obstacle is not None and obstacle.weakens:
        return obstacle
    is_own = isinstance(classifier, SpikingClassifier) and isinstance(classifier.network, BuiltNetwork)
    names = [] if is_own else unreplaceable(classifier, images)
    if names:
        return _irreplaceable(", ".join(names))
    return obstacle


def require_spiking(path: AbstractGradient, classifier: AbstractClassifier, *, needs_time: bool) -> None:
    """Raise InputError unless the modules of a classifier hold neurons that ``path`` can differentiate.

    This is the cheap part of ``spiking_obstacle``, for every pass: it looks and tries nothing.
    """
    obstacle = _obstacle_in_modules(classifier, needs_time=needs_time)
    if obstacle is not None:
        raise InputError(
            f"{type(path).__name__} expects spiking neurons whose derivative it can replace; the network has "
            f"{obstacle.reason}; use BPTT()"
        )


def _obstacle_in_modules(classifier: AbstractClassifier, *, needs_time: bool) -> Obstacle | None:
    stubborn = {
        type(module.neuron).__name__
        for module in classifier.modules()
        if isinstance(module, Activation)
        and module.neuron.is_spiking
        and not isinstance(module.neuron, AbstractSpikingNeuron)
    }
    if stubborn:
        return _irreplaceable(f"{', '.join(sorted(stubborn))} is no AbstractSpikingNeuron")
    sites = find_sites(classifier)
    if not sites:
        return Obstacle("no spiking neuron", weakens=False)
    if needs_time and not all(isinstance(site, OwnSite) for site in sites):
        return _irreplaceable("only neurons of this library can be replaced over all steps at once")
    return None


def _irreplaceable(detail: str) -> Obstacle:
    return Obstacle(f"a surrogate that cannot be replaced ({detail})", weakens=True)
