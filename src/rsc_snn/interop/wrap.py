"""Any torch module as a classifier that can be attacked and judged."""

from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.checks import require_images, require_num_steps
from rsc_snn.classifier import AbstractClassifier, SpikingClassifier, differs
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, RangeError, ShapeError
from rsc_snn.interop.probing import is_due, probe
from rsc_snn.interop.resets import rested
from rsc_snn.networks.base import BuiltNetwork
from rsc_snn.rng import Randomness, Streams, separate_global_state


def wrap(
    module: nn.Module, *, coding: AbstractCoding | None = None, num_steps: int = 1
) -> AbstractClassifier:
    """Make a classifier of a torch module, spiking or not, for attacks and ``rs.evaluate``.

    The state of SpikingJelly's and snnTorch's neurons is reset before every call and after it; modules of
    any other kind must start from rest by themselves, as Norse's do when they are given no state.

    The first call in eval mode tries the module on up to four of its images, and so does the first with three
    or more. It is refused if it keeps state all the same or does not return finite logits, and a
    WeakEvaluation warning tells of logits that look like probabilities or depend on the rest of the batch.
    Later calls are not tried.

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
    network = module if isinstance(module, BuiltNetwork) else RestedNetwork(module)
    classifier = SpikingClassifier(network, coding, num_steps)
    classifier.training = module.training  # its own flag only; the modes inside the module stay
    for parameter in module.parameters():
        classifier.mean, classifier.std = classifier.mean.to(parameter), classifier.std.to(parameter)
        break
    return classifier


class RestedNetwork(nn.Module):
    """A foreign network from a current to logits over time, put to rest around every call."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self.training = module.training
        self._num_tried = 0

    def forward(self, current: Float[Tensor, "T B *N"]) -> Tensor:
        """Return what the module returns, after checks: logits [T, B, K], from rest."""
        num_rows = current.shape[1]
        if not self.training and is_due(num_rows=num_rows, num_tried=self._num_tried):
            probe(self._respond, current, batch_axis=1)
            self._num_tried = num_rows
        return self._respond(current)

    def _respond(self, current: Tensor) -> Tensor:
        with rested(self.module):
            logits = _require_tensor(self.module(current))
        if logits.ndim != 3 or logits.shape[:2] != current.shape[:2]:
            raise ShapeError(
                f"the module must return logits [{len(current)}, {current.shape[1]}, K], "
                f"one for each step and image, got {list(logits.shape)}"
            )
        return logits


class WrappedClassifier(AbstractClassifier):
    """A foreign module from images to logits, as a classifier of one step; made by ``wrap``."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self.coding = None
        self.num_steps = 1
        self.training = module.training
        self._num_tried = 0

    def logits_over_time(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B K"]:
        """Return the module's logits as a single step."""
        require_images(images)
        with separate_global_state(generator, images.device):
            if not self.training and is_due(num_rows=len(images), num_tried=self._num_tried):
                probe(self._respond, images, batch_axis=0)
                self._num_tried = len(images)
            logits = self._respond(images)
        if isinstance(generator, Streams):
            generator.skip()
        return logits[None]

    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether two draws give different logits, found by trying."""
        return differs(self, images)

    @property
    def num_classes(self) -> int | None:
        """None: only a call tells."""
        return None

    @property
    def has_noise_of_its_own(self) -> bool:
        """True."""
        return True

    def _respond(self, images: Tensor) -> Tensor:
        with rested(self.module):
            logits = _require_tensor(self.module(images.clone()))  # which it may write into
        if logits.ndim != 2 or len(logits) != len(images):
            raise ShapeError(f"the module must return logits [{len(images)}, K], got {list(logits.shape)}")
        return logits


def _require_tensor(logits: object) -> Tensor:
    if not isinstance(logits, Tensor):
        raise InputError(
            f"the module must return a tensor of logits, got {type(logits).__name__}; wrap a module that "
            "returns the logits alone, without the neurons' state"
        )
    return logits
