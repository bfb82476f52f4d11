"""Pictures that have to fit a page. Needs no torch."""

import io
from collections.abc import Sequence

_COLOURS = 256
_STEP = 0.8  # of the width, as often as needed
_SMALLEST = 240


def shrink(pictures: Sequence[bytes], most: int) -> list[bytes]:
    """Return PNGs that weigh at most ``most`` bytes together; as they are where they do already.

    First the number of colours goes down to 256, which nobody sees in a plot; then all become smaller, step
    by step, down to a width of 240 pixels.
    """
    if _weight(pictures) <= most:
        return list(pictures)
    found = [min(png, _with_few_colours(png, 1.0), key=len) for png in pictures]
    scale = _STEP
    while _weight(found) > most and scale > 0.1:
        found = [
            min(before, _with_few_colours(png, scale), key=len)
            for before, png in zip(found, pictures, strict=True)
        ]
        scale *= _STEP
    return found


def _weight(pictures: Sequence[bytes]) -> int:
    return sum(map(len, pictures))


def _with_few_colours(png: bytes, scale: float) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    if scale < 1 and image.width > _SMALLEST:
        scale = max(scale, _SMALLEST / image.width)
        image = image.resize(
            (round(image.width * scale), max(1, round(image.height * scale))), Image.Resampling.LANCZOS
        )
    packed = io.BytesIO()
    image.quantize(_COLOURS).save(packed, "png")
    return packed.getvalue()
