"""From files to pixels: geometry against closed forms and Pillow's plain steps, every kind of file."""

import io

import numpy as np
import pytest
from PIL import Image

from rsc_snn.data import decoding
from rsc_snn.data.decoding import UndecodableError, decode
from rsc_snn.data.views import View, centre_view
from tests.data.trees import encoded, smooth_noise, whole

WIDTH, HEIGHT = 240, 180


def ramp(width: int, height: int, step: float) -> Image.Image:
    """Red grows to the right, green downwards: a pixel says where it is."""
    columns = np.broadcast_to((np.arange(width) + 0.5) * step, (height, width))
    rows = np.broadcast_to(((np.arange(height) + 0.5) * step)[:, None], (height, width))
    picture = np.stack([columns, rows, np.zeros((height, width))], axis=2)
    return Image.fromarray(np.round(picture).astype(np.uint8))


def expected_ramp(view: View, width: int, height: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """A ramp under any symmetric averaging is the ramp at the middle of each new pixel."""
    across = view.left + (np.arange(width) + 0.5) * view.width / width
    down = view.top + (np.arange(height) + 0.5) * view.height / height
    if view.is_mirrored:
        across = across[::-1]
    return across * step, down * step


@pytest.mark.parametrize(
    "view",
    [
        View(30, 20, 190, 150),
        View(30, 20, 190, 150, True),
        View(50, 60, 62, 71),
        View(33.5, 41.25, 130.75, 101.5),
        View(40, 40, 72, 64),
    ],
    ids=str,
)
def test_a_view_of_a_ramp_has_its_closed_form(view: View) -> None:
    content = encoded(ramp(WIDTH, HEIGHT, 1.0), format="PNG")
    found = decode(content, lambda w, h: view, width=32, height=24).astype(float)
    across, down = expected_ramp(view, 32, 24, 1.0)
    assert found.shape == (24, 32, 3)
    assert np.abs(found[:, :, 0] - across).max() <= 1.01  # two roundings
    assert np.abs(found[:, :, 1] - down[:, None]).max() <= 1.01
    assert found[:, :, 2].max() == 0


@pytest.mark.parametrize("view", [View(120, 90, 1080, 810), View(333, 111, 777, 555, True)], ids=str)
def test_a_jpeg_that_is_decoded_smaller_shows_the_same_part(view: View) -> None:
    content = encoded(ramp(1203, 903, 0.2), format="JPEG", quality=98, subsampling=0)
    found = decode(content, lambda w, h: view, width=48, height=32).astype(float)
    across, down = expected_ramp(view, 48, 32, 0.2)
    assert np.abs(found[:, :, 0] - across).max() < 2.5  # a source pixel is 0.2 levels wide; JPEG is lossy
    assert np.abs(found[:, :, 1] - down[:, None]).max() < 2.5
    assert np.abs((found[:, :, 0] - across).mean()) < 0.5


def test_a_jpeg_is_decoded_as_small_as_it_still_shows_enough() -> None:
    content = encoded(Image.new("RGB", (1600, 1201)), format="JPEG")
    for view, expected in (
        (View(0, 0, 1600, 1201), 1 / 4),  # 224 of 1201 is 1 / 5.4
        (View(0, 0, 448, 448), 1 / 2),
        (View(0, 0, 447, 448), 1.0),
        (View(0, 0, 100, 100), 1.0),
    ):
        with Image.open(io.BytesIO(content)) as image:
            scale = decoding._reduce(image, view, 224, 224)
            assert scale == expected
            assert image.size == (1600 * scale, np.ceil(1201 * scale))
    with Image.open(io.BytesIO(encoded(Image.new("RGB", (1600, 1201)), format="PNG"))) as image:
        assert decoding._reduce(image, whole(1600, 1201), 224, 224) == 1.0


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (300, 300), (256, 400), (1000, 290)])
def test_the_middle_is_what_resizing_and_cutting_gives(size: tuple[int, int]) -> None:
    picture = Image.fromarray(smooth_noise(*size, seed=0))
    width, height = size
    scale = 256 / min(size)
    resized = picture.resize((int(width * scale), int(height * scale)), Image.Resampling.BILINEAR)
    left, top = (resized.width - 224) // 2, (resized.height - 224) // 2
    expected = np.asarray(resized.crop((left, top, left + 224, top + 224))).astype(int)
    found = decode(
        encoded(picture, format="PNG"),
        lambda w, h: centre_view(w, h, resized=256, shown=224),
        width=224,
        height=224,
    )
    assert np.abs(found - expected).max() <= 1
    assert (found != expected).mean() < 1e-3


def test_an_image_of_the_right_size_keeps_its_bytes() -> None:
    picture = smooth_noise(24, 20, seed=1)
    found = decode(encoded(Image.fromarray(picture), format="PNG"), whole, width=24, height=20)
    assert np.array_equal(found, picture)


def test_beyond_the_picture_is_black() -> None:
    content = encoded(Image.new("RGB", (4, 4), (9, 9, 9)), format="PNG")
    found = decode(content, lambda w, h: View(2, -1, 6, 3), width=4, height=4)
    assert found[:, :, 0].tolist() == [[0, 0, 0, 0], [9, 9, 0, 0], [9, 9, 0, 0], [9, 9, 0, 0]]


@pytest.mark.parametrize(
    ("picture", "options", "expected"),
    [
        (Image.new("L", (8, 6), 77), {"format": "JPEG"}, (77, 77, 77)),
        (Image.new("L", (8, 6), 77), {"format": "PNG"}, (77, 77, 77)),
        (Image.new("1", (8, 6), 1), {"format": "PNG"}, (255, 255, 255)),
        (Image.new("RGBA", (8, 6), (10, 200, 30, 0)), {"format": "PNG"}, (10, 200, 30)),
        (Image.new("LA", (8, 6), (50, 9)), {"format": "PNG"}, (50, 50, 50)),
        (Image.new("RGB", (8, 6), (10, 200, 30)).quantize(4), {"format": "PNG"}, (10, 200, 30)),
        (
            Image.new("RGB", (8, 6), (10, 200, 30)).quantize(4),
            {"format": "PNG", "transparency": b"\x10\x20"},
            (10, 200, 30),
        ),
        (Image.new("CMYK", (8, 6), (255, 0, 0, 0)), {"format": "JPEG"}, (0, 255, 255)),
        (Image.new("YCbCr", (8, 6), (90, 128, 128)), {"format": "JPEG"}, (90, 90, 90)),
    ],
    ids=lambda value: getattr(value, "mode", None),
)
def test_every_kind_of_image_becomes_rgb(
    picture: Image.Image, options: dict[str, object], expected: tuple[int, int, int]
) -> None:
    found = decode(encoded(picture, **options), whole, width=4, height=3).astype(int)
    assert found.shape == (3, 4, 3)
    assert np.abs(found - np.array(expected)).max() <= 2


def test_orientation_tags_are_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(ramp(40, 20, 1.0), format="JPEG", exif=exif, quality=98)
    found = decode(content, whole, width=40, height=20)
    assert found.shape == (20, 40, 3)
    assert found[10, 39, 0] > 30 > found[10, 5, 0]


def wide() -> bytes:
    return encoded(Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)), format="PNG")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image"),
        (b"This is no image.", "not an image"),
        (encoded(Image.fromarray(smooth_noise(60, 60, seed=0)), format="JPEG")[:700], "truncated"),
        (encoded(Image.fromarray(smooth_noise(60, 60, seed=0)), format="PNG")[:700], "truncated"),
        (wide(), "more than 8 bits; convert the file to 8 bits"),
    ],
)
def test_what_cannot_be_shown_says_why(content: bytes, message: str) -> None:
    with pytest.raises(UndecodableError, match=message) as caught:
        decode(content, whole, width=8, height=8)
    assert "\n" not in str(caught.value)


def test_a_view_may_refuse_an_image() -> None:
    def refuse(width: int, height: int) -> View:
        raise ValueError(f"{width} is too wide")

    with pytest.raises(UndecodableError, match="60 is too wide"):
        decode(encoded(Image.new("RGB", (60, 60)), format="PNG"), refuse, width=8, height=8)
