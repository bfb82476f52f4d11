"""The gradient paths that an audit tries."""

from jaxtyping import Float
from torch import Tensor

from rsc_snn import gradients
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.gradients import BPTT, AbstractGradient
from rsc_snn.registry import examples


def single_paths(classifier: AbstractClassifier, images: Float[Tensor, "N C H W"]) -> list[AbstractGradient]:
    """Return one path of each kind that can differentiate ``classifier`` in a single pass, BPTT first."""
    found: dict[type, AbstractGradient] = {BPTT: BPTT()}
    for path in examples(gradients.__name__, gradients.__path__, AbstractGradient):
        is_new = path.num_passes == 1 and type(path) not in found
        if is_new and path.obstacle(classifier, images[:1]) is None:
            found[type(path)] = path
    return list(found.values())
