"""What of a foreign network's derivative cannot be replaced."""

from collections import defaultdict

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.graph import Node

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients.sites import firing
from rsc_snn.gradients.sites.base import Place
from rsc_snn.rng import Streams

_NUM_IMAGES = 2
_OURS, _SPIKES = "rsc_snn.", "rsc_snn.neurons."


def unreplaceable(classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> list[str]:
    """Return the custom autograd functions between images and logits that belong to no site.

    Each may be a spike whose surrogate an attacker would like to choose and cannot. The functions of this
    library are not among them, but for a surrogate that somebody's own neuron fires by. Found by a pass over
    two of the images, with noise of its own, in the classifier's present mode.

    A step function whose derivative is made of ordinary operations, such as ``step - soft.detach() +
    soft``, is not seen, and neither is one without any derivative. What hides the graph inside one
    function, such as checkpoints that are entered again and compiled modules, is named itself.

    Returns:
        Names of the subclasses of ``torch.autograd.Function``, each once, sorted.
    """
    probe = images[:_NUM_IMAGES]
    streams = Streams(0, "probe", range(len(probe)))
    with torch.inference_mode(False), torch.enable_grad(), firing(classifier, _smooth):
        leaf = probe.detach().clone().requires_grad_()
        logits = classifier.logits(leaf, streams)
    if logits.grad_fn is None:
        return []
    functions = (getattr(type(node), "_forward_cls", None) for node in _between(logits.grad_fn, leaf))
    foreign = {cls for cls in functions if cls is not None and _may_be_spike(cls.__module__)}
    return sorted({cls.__name__.lstrip("_") for cls in foreign})


def _may_be_spike(module: str) -> bool:
    return module.startswith(_SPIKES) or not module.startswith(_OURS)


def _smooth(u: Tensor, place: Place) -> Tensor:
    return torch.sigmoid(u)


def _between(output: Node, leaf: Tensor) -> set[Node]:
    """Nodes of the graph through which a gradient gets from ``output`` to ``leaf``."""
    users: dict[Node, list[Node]] = defaultdict(list)
    waiting, seen, reached = [output], {output}, list[Node]()
    while waiting:
        node = waiting.pop()
        if getattr(node, "variable", None) is leaf:
            reached.append(node)
        for source, _ in node.next_functions:
            if source is None:
                continue
            users[source].append(node)
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    found = set(reached)
    while reached:
        for user in users[reached.pop()]:
            if user not in found:
                found.add(user)
                reached.append(user)
    return found
