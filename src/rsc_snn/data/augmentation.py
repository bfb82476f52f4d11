"""Random shifts, crops and flips of whole batches of bytes, on whatever device they are."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from rsc_snn.data.views import RANDOM_VIEW_NUMBERS, View
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


def random_crops(
    images: UInt8[Tensor, "B C H W"],
    choose_view: Callable[[int, int, Sequence[float]], View],
    *,
    generator: Randomness,
) -> UInt8[Tensor, "B C H W"]:
    """Show part of each image at the size of the whole, by bilinear interpolation.

    Args:
        images: Bytes.
        choose_view: From width, height and the 23 numbers of ``random_view`` to whole pixels of the image.
        generator: Those numbers for each image.
    """
    height, width = images.shape[2:]
    empty = torch.empty(len(images), RANDOM_VIEW_NUMBERS, device=images.device)
    found = []
    for image, numbers in zip(images, uniform_like(empty, 1, generator)[0].tolist(), strict=True):
        view = choose_view(width, height, numbers)
        part = image[None, :, int(view.top) : int(view.bottom), int(view.left) : int(view.right)].float()
        shown = interpolate(part, (height, width), mode="bilinear", antialias=True).round().clamp(0, 255)
        found.append(shown.flip(3) if view.is_mirrored else shown)
    return torch.cat(found).to(torch.uint8) if found else images


def require_share(name: str, share: float) -> None:
    """Raise unless ``share`` of an image is some of it and not more than all."""
    if not 0 < share <= 1:
        raise RangeError(f"{name} must lie in (0, 1], got {share}")


def require_padding(padding: int, image_shape: tuple[int, int, int]) -> None:
    """Raise unless a shift by ``padding`` leaves some of the image."""
    if not 0 <= padding < min(image_shape[1:]):
        raise RangeError(f"padding must lie in [0, {min(image_shape[1:])}), got {padding}")


def _inside(positions: Tensor, size: int) -> Tensor:
    return (positions >= 0) & (positions < size)
