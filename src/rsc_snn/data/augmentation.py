"""Random shifts and flips of whole batches of bytes, on whatever device they are."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from rsc_snn.errors import RangeError
from rsc_snn.rng import Randomness, uniform_like


def shift_and_flip(
    images: UInt8[Tensor, "B C H W"], *, padding: int, flip: bool, generator: Randomness
) -> UInt8[Tensor, "B C H W"]:
    """Crop each image at random from its zero-padded self, then mirror every second one on average.

    Args:
        images: Bytes.
        padding: Largest shift in each direction, in pixels.
        flip: Whether left and right may be exchanged.
        generator: Three uniform numbers for each image.
    """
    batch, _, height, width = images.shape
    device = images.device
    chance = uniform_like(torch.empty(batch, 3, device=device), 1, generator)[0]
    shift = (chance[:, :2] * (2 * padding + 1)).long() - padding
    rows = torch.arange(height, device=device) + shift[:, :1]
    columns = torch.arange(width, device=device) + shift[:, 1:2]
    if flip:
        is_flipped = chance[:, 2:] < 0.5
        columns = torch.where(is_flipped, columns.flip(1), columns)
    is_inside = _inside(rows, height)[:, None, :, None] & _inside(columns, width)[:, None, None, :]
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    image = torch.arange(batch, device=device)
    moved = images.permute(0, 2, 3, 1)[image[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous() * is_inside


def require_padding(padding: int, image_shape: tuple[int, int, int]) -> None:
    """Raise unless a shift by ``padding`` leaves some of the image."""
    if not 0 <= padding < min(image_shape[1:]):
        raise RangeError(f"padding must lie in [0, {min(image_shape[1:])}), got {padding}")


def _inside(positions: Tensor, size: int) -> Tensor:
    return (positions >= 0) & (positions < size)
