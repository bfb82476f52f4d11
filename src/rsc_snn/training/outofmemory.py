"""Running out of memory, told as what to try next."""

import contextlib
from collections.abc import Iterator

import torch

from rsc_snn.errors import OutOfMemoryError
from rsc_snn.processes import Group
from rsc_snn.training.recipe import Training

_SIGNS = ("out of memory", "not enough memory", "can't allocate memory")


@contextlib.contextmanager
def told(settings: Training, group: Group) -> Iterator[None]:
    """Turn what torch raises for lack of memory into OutOfMemoryError with a setting that needs about half.

    Args:
        settings: Of the run.
        group: The processes that share the passes.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as err:
        if not is_lack_of_memory(err):
            raise
        per_process = settings.images_per_pass // group.size
        raise OutOfMemoryError(
            f"out of memory with {per_process} images in a pass of a process; {_advice(settings, group)}"
            "and --resume"
        ) from err


def is_lack_of_memory(err: BaseException) -> bool:
    """Whether torch or Python raised ``err`` because memory ran out."""
    is_typed = isinstance(err, MemoryError | torch.OutOfMemoryError)
    return is_typed or any(sign in str(err).lower() for sign in _SIGNS)


def _advice(settings: Training, group: Group) -> str:
    """The next larger number of passes that every process can share evenly, else a smaller network."""
    for passes in range(2 * settings.accumulation_steps, settings.batch_size // (2 * group.size) + 1):
        if settings.batch_size % (passes * group.size) == 0:
            images = settings.batch_size // (passes * group.size)
            return f"try --set training.accumulation_steps={passes}, which is {images} images, in a new run"
    return "make the network, num_steps or training.batch_size smaller, in a new run"
