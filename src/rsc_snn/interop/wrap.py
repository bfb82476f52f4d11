"""Any torch module as a classifier that can be attacked and judged."""

import contextlib
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.checks import require_images, require_num_steps
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, RangeError, ShapeError
from rsc_snn.rng import Randomness, Streams


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
    return WrappedClassifier(module, coding, num_steps)


class WrappedClassifier(AbstractClassifier):
    """A foreign module behind the interface of a classifier; made by ``wrap``."""

    def __init__(self, module: nn.Module, coding: AbstractCoding | None, num_steps: int):
        super().__init__()
        self.module = module
        self.coding = coding
        self.num_steps = num_steps
        self.training = module.training

    def logits_over_time(
        self, images: Float[Tensor, "B C H W"], generator: Randomness = None
    ) -> Float[Tensor, "T B K"]:
        """Return the module's logits, as a single step if it has no coding of ours."""
        require_images(images)
        if self.coding is None:
            with _separate_global_state(generator, images.device):
                logits = self.module(images)
            if isinstance(generator, Streams):
                generator.skip()
            return _require_logits(logits, (len(images),))[None]
        with _separate_global_state(generator, images.device):
            current = self.coding.encode(images, self.num_steps, generator=generator)
            return _require_logits(self.module(current), (self.num_steps, len(images)))

    @torch.no_grad()
    def varies(self, images: Float[Tensor, "B C H W"]) -> bool:
        """Whether two draws give different logits on ``images``, found by trying."""
        indices = range(len(images))
        first, second = (self.logits(images, Streams(0, "probe", indices).at(draw)) for draw in (0, 1))
        return not torch.equal(first, second)


def _require_logits(logits: object, leading: tuple[int, ...]) -> Tensor:
    if not isinstance(logits, Tensor):
        raise InputError(f"the module must return a tensor of logits, got {type(logits).__name__}")
    if logits.ndim != len(leading) + 1 or tuple(logits.shape[:-1]) != leading:
        expected = ", ".join(map(str, leading))
        raise ShapeError(f"the module must return logits [{expected}, K], got {list(logits.shape)}")
    return logits


@contextlib.contextmanager
def _separate_global_state(generator: Randomness, device: torch.device) -> Iterator[None]:
    """Let foreign code draw from a global state of its own, seeded by ``generator``; then restore it."""
    if generator is None:
        yield
        return
    if isinstance(generator, Streams):
        seed = generator.seed_for_foreign()
    else:
        seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
