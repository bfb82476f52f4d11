"""How a batch is cut into passes: rows are (image, draw) pairs, of which a pass holds a limited number.

The limit belongs to the work that is done, not to a path: it changes how much memory a pass takes and how
results are rounded, and nothing else. Axes: B images, R images of a part.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.rng import Randomness, Streams

ROWS_BY_HAND = 64
PER_GRADIENT = 2  # rows of a pass there only, which keeps nothing, for one of a pass there and back
_limit: ContextVar[int | None] = ContextVar("rows_per_pass", default=None)


@contextlib.contextmanager
def limited_rows(rows: int) -> Iterator[None]:
    """Let no pass of a gradient hold more than ``rows`` rows, and no pass there only more than twice that.

    Args:
        rows: At least 1. It may be fewer than a batch has images.
    """
    token = _limit.set(rows)
    try:
        yield
    finally:
        _limit.reset(token)


def rows_for_draws(num_images: int) -> int:
    """Rows that draws of ``num_images`` images may share: the limit; by hand 64, or all if more."""
    limit = _limit.get()
    return max(ROWS_BY_HAND, num_images) if limit is None else limit


def parts_of(classifier: AbstractClassifier, num_rows: int, *, keeps_graph: bool) -> list[range]:
    """Cut the rows of a pass so that none holds too many.

    Without a limit, and for a module that is not ours and may draw one number for a whole call, they stay
    together.

    Args:
        classifier: Whose pass it is.
        num_rows: At least 1.
        keeps_graph: Whether it is a pass there and back.
    """
    limit = _limit.get()
    if limit is None or classifier.has_noise_of_its_own:
        return [range(num_rows)]
    size = limit if keeps_graph else PER_GRADIENT * limit
    return [range(start, min(start + size, num_rows)) for start in range(0, num_rows, size)]


def noise_of_parts(generator: Randomness, parts: list[range]) -> Iterator[Randomness]:
    """Yield the noise of each part in turn, the same as in one pass; then its draws count as taken."""
    noise = generator
    for part in parts:
        if isinstance(generator, Streams):
            rows = torch.arange(part.start, part.stop)
            noise = generator.part(rows, ahead=torch.zeros_like(rows))
        yield noise
    if isinstance(generator, Streams) and isinstance(noise, Streams):
        generator.go_on_after(noise)


@torch.no_grad()
def logits_in_parts(
    classifier: AbstractClassifier, images: Float[Tensor, "B C H W"], generator: Randomness
) -> Float[Tensor, "B K"]:
    """Return the classifier's logits over a fresh draw, without a graph, in as many passes as it takes."""
    parts = parts_of(classifier, len(images), keeps_graph=False)
    if len(parts) == 1:
        return classifier.logits(images, generator)
    noises = noise_of_parts(generator, parts)
    return torch.cat(
        [
            classifier.logits(images[part.start : part.stop], noise)
            for part, noise in zip(parts, noises, strict=True)
        ]
    )
