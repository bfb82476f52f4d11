"""Checks at public entries: each error names what was expected, what came, and the fix."""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

import torch
from torch import Tensor

from rsc_snn.errors import DTypeError, InputError, RangeError, ShapeError

_are_known: ContextVar[bool] = ContextVar("images_are_known", default=False)


@contextlib.contextmanager
def known_images() -> Iterator[None]:
    """Let ``require_images`` believe that values lie in [0, 1]: to look would wait for the device.

    For callers whose images cannot be anything else, such as bytes divided by 255.
    """
    token = _are_known.set(True)
    try:
        yield
    finally:
        _are_known.reset(token)


def require_images(images: Tensor, *, shape: tuple[int, ...] | None = None) -> None:
    """Raise unless ``images`` is a floating-point batch [B, C, H, W] with values in [0, 1].

    Args:
        images: What came.
        shape: The [C, H, W] that the network was built for, or None if any will do.

    Raises:
        ShapeError, DTypeError, RangeError: the axes, the type or the values do not fit.
    """
    if not images.is_floating_point():
        raise DTypeError(
            f"images must be floating point in [0, 1], got {images.dtype}; "
            "divide 8-bit images by 255: images.float() / 255"
        )
    if images.ndim != 4:
        raise ShapeError(
            f"images must be [B, C, H, W], got {list(images.shape)}; add a batch axis with images[None]"
        )
    if shape is not None and tuple(images.shape[1:]) != tuple(shape):
        raise ShapeError(
            f"images must be [B, {', '.join(map(str, shape))}], got {list(images.shape)}; "
            "resize them or build the network with this image_shape"
        )
    if images.numel() == 0:
        raise ShapeError(f"images must hold at least one image, got {list(images.shape)}")
    if _are_known.get():
        return
    low, high = (float(value) for value in images.detach().aminmax())
    if low != low or high != high:
        raise RangeError("images must be numbers in [0, 1], got NaN; look for a division by zero upstream")
    if not (low >= 0 and high <= 1):
        raise RangeError(
            f"images must lie in [0, 1], got [{low:.4g}, {high:.4g}]; divide 8-bit images by 255, and "
            "leave normalisation to the classifier (mean=, std=)"
        )


def require_labels(labels: Tensor, *, num_images: int, num_classes: int | None = None) -> None:
    """Raise unless ``labels`` is int64 [B] with one class per image, in [0, num_classes)."""
    if labels.dtype != torch.int64:
        raise DTypeError(f"labels must be int64, got {labels.dtype}; use labels.long()")
    if labels.shape != (num_images,):
        raise ShapeError(f"labels must be [{num_images}], one per image, got {list(labels.shape)}")
    low, high = (int(value) for value in labels.aminmax())
    if low < 0 or (num_classes is not None and high >= num_classes):
        raise RangeError(
            f"labels must lie in [0, {num_classes or 'K'}), got {low} to {high}; "
            "is the network trained on this data set?"
        )


def require_indices(indices: Sequence[int] | Tensor | None, *, num_images: int) -> Tensor:
    """Return the index of each image in its data set, int64 [N]; None is 0 ... N - 1.

    Raises:
        InputError: they are not one per image, all different.
    """
    keys = torch.as_tensor(range(num_images) if indices is None else indices, dtype=torch.int64)
    if keys.shape != (num_images,) or len(keys.unique()) != num_images:
        raise InputError(f"indices must be {num_images} different integers, one per image, got {len(keys)}")
    return keys


def require_num_steps(num_steps: int) -> None:
    """Raise unless there is at least one time step."""
    if num_steps < 1:
        raise RangeError(f"num_steps must be at least 1, got {num_steps}")


def require_counts(**counts: int | None) -> None:
    """Raise RangeError, with the name, unless each count is at least 1 or None."""
    for name, count in counts.items():
        if count is not None and count < 1:
            raise RangeError(f"{name} must be at least 1, got {count}")
