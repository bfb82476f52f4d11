"""Any torch module as a classifier that can be attacked and judged."""

from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.checks import require_images, require_num_steps
from rsc_snn.classifier import AbstractClassifier, SpikingClassifier, differs
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, RangeError, ShapeError
from rsc_snn.rng import Randomness, Streams, separate_global_state


def wrap(
    module: nn.Module, *, coding: AbstractCoding | None = None, num_steps: int = 1
) -> AbstractClassifier:
    """Make a classifier of a plain, stateless torch module, for attacks and ``rs.evaluate``.

    Args:
        module: Without ``coding``, maps images [B, C, H, W] in [0, 1] to logits [B, K], with its
            normalisation inside. With one, maps a current [T, B, C, H, W] to [T, B, K].
        coding: A coding of this library, or None.
        num_steps: T; without a coding only 1 makes sense.

    Returns:
        A classifier that starts in the module's own mode. If the module draws numbers from torch's global
        generator, it does so from a separate, seeded state whenever a generator is given.

    Raises:
        InputError: the module is a classifier already, or the arguments do not fit together.
    """
    if isinstance(module, AbstractClassifier):
        raise InputError(f"{type(module).__name__} is a classifier already; use it as it is")
    if not isinstance(module, nn.Module):
        raise InputError(f"expected a torch.nn.Module, got {type(module).__name__}")
    require_num_steps(num_steps)
    if coding is None and num_steps != 1:
        raise RangeError(
            f"num_steps must be 1 without a coding, got {num_steps}; "
            "give coding= if the module takes a current [T, B, C, H, W]"
        )
    if coding is None:
        return WrappedClassifier(module)
    classifier = SpikingClassifier(module, coding, num_steps)
    classifier.training = module.training  # its own flag only; the modes inside the module stay
    for parameter in module.parameters():
        classifier.mean, classifier.std = classifier.mean.to(parameter), classifier.std.to(parameter)
        break
    return classifier


class WrappedClassifier(AbstractClassifier):
    """A foreign module from images to logits, as a classifier of one step; made by ``wrap``."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self.coding = None
        self.num_steps = 1
        self.training = module.training

    def logits_over_time(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B K"]:
        """Return the module's logits as a single step."""
        require_images(images)
        with separate_global_state(generator, images.device):
            logits = self.module(images)
        if isinstance(generator, Streams):
            generator.skip()
        if not isinstance(logits, Tensor):
            raise InputError(f"the module must return a tensor of logits, got {type(logits).__name__}")
        if logits.ndim != 2 or len(logits) != len(images):
            raise ShapeError(f"the module must return logits [{len(images)}, K], got {list(logits.shape)}")
        return logits[None]

    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether two draws give different logits, found by trying."""
        return differs(self, images)

    @property
    def num_classes(self) -> int | None:
        """None: only a call tells."""
        return None
