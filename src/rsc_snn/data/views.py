"""Which part of a picture is shown: at random in training, the middle in testing. Plain geometry, no pixels.

Coordinates are in pixels of the picture, x to the right and y down, (0, 0) at its upper left corner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

RANDOM_VIEW_NUMBERS = 23
SHIFTED_VIEW_NUMBERS = 3
_NUM_TRIES = 10


@dataclass(frozen=True)
class View:
    """A rectangle of a picture; beyond the picture it shows black.

    Attributes:
        left, top, right, bottom: Edges, in pixels.
        is_mirrored: Whether left and right are exchanged.
    """

    left: float
    top: float
    right: float
    bottom: float
    is_mirrored: bool = False

    @property
    def width(self) -> float:
        """In pixels of the picture."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In pixels of the picture."""
        return self.bottom - self.top


def random_view(
    width: int, height: int, numbers: Sequence[float], *, smallest_area: float, flip: bool
) -> View:
    """Choose a rectangle of random area and shape anywhere in the picture [arXiv:1409.4842, sec. 6].

    Its share of the area is uniform in [smallest_area, 1], the logarithm of its width / height uniform in
    [log 3/4, log 4/3]; what does not fit is drawn again, up to ten times, then the largest rectangle in the
    middle whose shape is in that range is taken. Edges are whole pixels.

    Args:
        width: Of the picture.
        height: Of the picture.
        numbers: 23 uniform numbers in [0, 1): ten pairs (area, shape), left, top, mirror.
        smallest_area: Share of the picture's area, in (0, 1].
        flip: Whether every second view is mirrored on average.
    """
    *pairs, across, down, mirror = numbers
    widest = math.log(4 / 3)
    for area, shape in zip(pairs[::2], pairs[1::2], strict=True):
        pixels = width * height * (smallest_area + area * (1 - smallest_area))
        root = math.exp((shape - 0.5) * widest)  # of width / height
        wide, high = round(math.sqrt(pixels) * root), round(math.sqrt(pixels) / root)
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(across * (width - wide + 1)), int(down * (height - high + 1))
            break
    else:
        wide = max(1, min(width, round(height * 4 / 3)))
        high = max(1, min(height, round(width * 4 / 3)))
        left, top = (width - wide) // 2, (height - high) // 2
    return View(left, top, left + wide, top + high, flip and mirror < 0.5)


def centre_view(width: int, height: int, *, resized: int, shown: int) -> View:
    """Choose the square in the middle that ``shown`` pixels cover once the shorter side has ``resized``.

    It is the rectangle that one gets by resizing the picture to whole pixels, the longer side rounded
    down, and cutting ``shown`` whole pixels out of the middle, the odd pixel at the lower right.

    Args:
        width: Of the picture.
        height: Of the picture.
        resized: Shorter side after resizing.
        shown: Side of the square after resizing, <= resized.
    """
    shorter = min(width, height)
    across, down = resized * width // shorter, resized * height // shorter
    left, top = (across - shown) // 2, (down - shown) // 2
    x, y = width / across, height / down
    return View(left * x, top * y, (left + shown) * x, (top + shown) * y)


def shifted_view(width: int, height: int, numbers: Sequence[float], *, padding: int, flip: bool) -> View:
    """Move the picture by up to ``padding`` pixels, with the numbers and the result of ``shift_and_flip``.

    Args:
        width: Of the picture.
        height: Of the picture.
        numbers: Three uniform numbers in [0, 1): down, across, mirror.
        padding: Largest shift, in pixels.
        flip: Whether every second view is mirrored on average.
    """
    down, across, mirror = numbers
    top, left = (int(number * (2 * padding + 1)) - padding for number in (down, across))
    return View(left, top, left + width, top + height, flip and mirror < 0.5)
