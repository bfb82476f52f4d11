"""Which gradient paths can differentiate a classifier, and what of a foreign network they can reach."""

from jaxtyping import Float
from torch import Tensor

import rsc_snn.gradients as gradients
from rsc_snn.attacks.conditions import evaluation_mode
from rsc_snn.classifier import AbstractClassifier, require_classifier
from rsc_snn.gradients import AbstractGradient
from rsc_snn.gradients.sites import find_sites
from rsc_snn.gradients.sites.foreign import unreplaceable
from rsc_snn.interop.resets import find_resets
from rsc_snn.registry import examples


def available_paths(
    classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]
) -> list[tuple[str, str | None]]:
    """Return each kind of gradient path, and why it cannot differentiate the classifier, or None.

    A kind is tried by its first example, in eval mode; the mode of every submodule is restored.

    Args:
        classifier: A ``SpikingClassifier``, or any module through ``rs.wrap``.
        images: A few images to try it on, in [0, 1].
    """
    require_classifier(classifier)
    firsts: dict[str, AbstractGradient] = {}
    for path in examples(gradients.__name__, gradients.__path__, AbstractGradient):
        firsts.setdefault(type(path).__name__, path)
    with evaluation_mode(classifier):
        obstacles = {name: path.obstacle(classifier, images) for name, path in firsts.items()}
    return [(name, None if found is None else found.reason) for name, found in obstacles.items()]


def describe(classifier: AbstractClassifier, images: Float[Tensor, "B C H W"]) -> str:
    """Return in a few lines what was found in a classifier: randomness, state, spikes and gradient paths.

    Args:
        classifier: A ``SpikingClassifier``, or any module through ``rs.wrap``.
        images: A few images to try it on, in [0, 1].
    """
    require_classifier(classifier)
    with evaluation_mode(classifier):
        varies, hidden = classifier.varies(images), unreplaceable(classifier, images)
    lines = [
        f"answers: {'vary from call to call' if varies else 'the same at every call'}",
        f"modules reset around every call: {len(find_resets(classifier))}",
        f"layers whose spikes can be differentiated otherwise: {len(find_sites(classifier))}",
        f"functions with a derivative out of reach: {', '.join(hidden) or 'none'}",
        "gradient paths:",
    ]
    for name, reason in available_paths(classifier, images):
        lines.append(f"  {name}: {'available' if reason is None else f'not applicable: {reason}'}")
    return "\n".join(lines)
