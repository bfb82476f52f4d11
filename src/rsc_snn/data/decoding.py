"""From the bytes of an image file to pixels."""

import io
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsc_snn.data.views import View

_REDUCING_GAP = 3.0
_DIVISORS = (8, 4, 2)
_WIDE_MODES = ("I", "F")


class UndecodableError(ValueError):
    """These bytes are not an image that can be shown; the message says why."""


def decode(
    encoded: bytes, choose_view: Callable[[int, int], View], *, width: int, height: int
) -> NDArray[np.uint8]:
    """Decode part of an image file at the size asked for.

    Grey, palette, CMYK and transparent images become RGB (transparency is dropped). Orientation tags are
    ignored, as usual for ImageNet. A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that is still
    no smaller than what is asked for; the rest is bilinear interpolation that averages when it shrinks.

    Args:
        encoded: Content of the file.
        choose_view: From width and height of the image to the part that is shown.
        width: Of the result.
        height: Of the result.

    Returns:
        uint8 [height, width, 3].

    Raises:
        UndecodableError: the bytes are damaged or no image, or the view refuses its size.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, on odd metadata
            with Image.open(io.BytesIO(encoded)) as image:
                view = choose_view(*image.size)
                return np.asarray(_shown(image, view, width, height))
    except MemoryError:
        raise
    except Exception as err:  # Pillow raises many types for one cause: these bytes are no sound image
        reason = " ".join(str(err).split())[:200] or type(err).__name__
        raise UndecodableError("not an image" if "BytesIO" in reason else reason) from err


def _shown(image: Image.Image, view: View, width: int, height: int) -> Image.Image:
    scale = _reduce(image, view, width, height)
    if image.mode.split(";")[0] in _WIDE_MODES:
        raise ValueError(f"its pixels ({image.mode}) have more than 8 bits; convert the file to 8 bits")
    picture = image if image.mode == "RGB" else image.convert("RGB")
    if (view.width, view.height) == (width, height):  # as it is; a view beyond the picture shows black
        picture = picture.crop((int(view.left), int(view.top), int(view.right), int(view.bottom)))
    else:
        right, bottom = min(view.right * scale, picture.width), min(view.bottom * scale, picture.height)
        box = (view.left * scale, view.top * scale, right, bottom)
        size, bilinear = (width, height), Image.Resampling.BILINEAR
        picture = picture.resize(size, bilinear, box=box, reducing_gap=_REDUCING_GAP)
    if view.is_mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return picture


def _reduce(image: Image.Image, view: View, width: int, height: int) -> float:
    """Have a JPEG decoded at a fraction of its size that still shows enough; return the fraction."""
    spare = min(view.width / width, view.height / height)
    divisor = next((number for number in _DIVISORS if number <= spare), 1)
    size = image.width // divisor, image.height // divisor
    drafted = image.draft(None, size)  # None for other formats, which have no such shortcut
    return 1.0 if drafted is None else 1 / divisor
