"""Small PNG files of figures."""

import io
from typing import Any

_DRAWN_COLOURS = 64


def as_png(figure: Any, *, dpi: int, is_drawing: bool) -> bytes:
    """Return a matplotlib figure as a PNG without transparency.

    Args:
        figure: The figure.
        dpi: Pixels per inch of its size.
        is_drawing: Whether it has lines and letters only, for which few colours are enough; not photographs.
    """
    from PIL import Image

    full = io.BytesIO()
    figure.savefig(full, format="png", dpi=dpi)
    image = Image.open(full).convert("RGB")
    if is_drawing:
        image = image.quantize(_DRAWN_COLOURS, dither=Image.Dither.NONE)
    small = io.BytesIO()
    image.save(small, format="png", optimize=True)
    return small.getvalue()
