"""Image-keyed randomness."""

import math

import pytest
import torch

import rsc_snn as rs
from rsc_snn.errors import InputError, ShapeError
from rsc_snn.rng import in_copies, normal_like, philox, uniform_like

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF), [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(
    counter: list[int], key: tuple[int, int], expected: list[int]
) -> None:
    words = philox([torch.tensor([c]) for c in counter], key)
    assert [int(word) for word in words] == expected


@pytest.mark.parametrize("draw", ["normal_like", "uniform_like"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_of_an_image_does_not_depend_on_its_batch(draw: str, dtype: torch.dtype) -> None:
    function = {"normal_like": normal_like, "uniform_like": uniform_like}[draw]
    images = torch.zeros(64, 3, 7, 5, dtype=dtype)
    whole = function(images, 3, rs.Streams(5, "score", range(64)))
    for size in (1, 7, 64):
        parts = [
            function(images[i : i + size], 3, rs.Streams(5, "score", range(64)[i : i + size]))
            for i in range(0, 64, size)
        ]
        assert torch.equal(torch.cat(parts, dim=1), whole)


def test_every_use_takes_the_next_draw_and_at_fixes_it() -> None:
    images = torch.zeros(2, 1, 4, 4)
    streams = rs.Streams(0, "score", [3, 9])
    first, second = normal_like(images, 1, streams), normal_like(images, 1, streams)
    assert not torch.equal(first, second)
    fixed = rs.Streams(0, "score", [9, 3]).at([1, 0])
    for _ in range(2):
        again = normal_like(images, 1, fixed)
        assert torch.equal(again[:, 0], second[:, 1])
        assert torch.equal(again[:, 1], first[:, 0])


def test_every_copy_of_a_batch_has_draws_of_its_own() -> None:
    """Use u of copy j is draw first + u * copies + j, also of a part and of copies of copies."""
    image = torch.zeros(1, 1, 4, 4)
    streams = rs.Streams(0, "train", [9, 3])

    def draw(number: int) -> torch.Tensor:
        return normal_like(image, 1, rs.Streams(0, "train", [3]).at(number))[0, 0]

    normal_like(image.expand(2, 1, 4, 4), 1, streams)
    with in_copies(streams, 3) as copies:
        assert isinstance(copies, rs.Streams)
        assert copies.indices.tolist() == [9, 3] * 3
        for use in range(2):
            rows = normal_like(image.expand(6, 1, 4, 4), 1, copies)[0]
            for copy in range(3):
                assert torch.equal(rows[2 * copy + 1], draw(1 + 3 * use + copy))
        part = copies.part(torch.tensor([5, 5]), ahead=torch.tensor([0, 1]))
        assert torch.equal(
            normal_like(image.expand(2, 1, 4, 4), 1, part)[0], torch.stack([draw(9), draw(12)])
        )
        with in_copies(copies, 2) as more:
            rows = normal_like(image.expand(12, 1, 4, 4), 1, more)[0]
            assert torch.equal(rows[1::2], torch.stack([draw(number) for number in range(7, 13)]))
    assert streams.next_draw == 13


def test_copies_of_fixed_draws_and_of_other_generators_are_left_as_they_are() -> None:
    images = torch.zeros(4, 1, 4, 4)
    with in_copies(rs.Streams(0, "train", [9, 3]).at([5, 6]), 2) as copies:
        first, second = normal_like(images, 1, copies)[0].split(2)
        assert torch.equal(first, second)
    generator = torch.Generator()
    for other in (generator, None):
        with in_copies(other, 2) as same:
            assert same is other


def test_seed_purpose_image_draw_and_step_all_change_the_numbers() -> None:
    image = torch.zeros(1, 1, 8, 8)
    base = normal_like(image, 2, rs.Streams(0, "score", [0]))
    others = [
        normal_like(image, 2, rs.Streams(1, "score", [0]))[0],
        normal_like(image, 2, rs.Streams(0, "attack", [0]))[0],
        normal_like(image, 2, rs.Streams(0, "score", [1]))[0],
        normal_like(image, 2, rs.Streams(0, "score", [0]).at(1))[0],
        base[1],
    ]
    for other in others:
        assert (other == base[0]).sum() == 0
    numbers = torch.stack([base[0], *others]).flatten(1).double()
    correlation = torch.corrcoef(numbers) - torch.eye(6)
    assert correlation.abs().max() < 5 / math.sqrt(64)


def test_normal_numbers_are_normal() -> None:
    from scipy import stats

    numbers = rs.Streams(7, "score", range(50)).normal((4000,), num_steps=1, device=CPU).flatten().numpy()
    assert stats.kstest(numbers, "norm").pvalue > 1e-4
    n = len(numbers)
    assert abs(numbers.mean()) < 5 / math.sqrt(n)
    assert abs(numbers.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((numbers**4).mean() - 3) < 5 * math.sqrt(96 / n)
    neighbours = (numbers[:-1] * numbers[1:]).mean()
    assert abs(neighbours) < 5 / math.sqrt(n)


def test_uniform_numbers_are_uniform_and_below_one() -> None:
    from scipy import stats

    numbers = rs.Streams(7, "score", range(50)).uniform((4000,), num_steps=1, device=CPU).flatten()
    assert float(numbers.min()) >= 0
    assert float(numbers.max()) < 1
    assert stats.kstest(numbers.double().numpy(), "uniform").pvalue > 1e-4


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    normal_like(torch.zeros(2, 1, 4, 4), 1, rs.Streams(0, "score", [0, 1]))
    assert torch.equal(torch.get_rng_state(), before)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ShapeError, match=r"streams hold 3 images, the batch 2"):
        normal_like(torch.zeros(2, 1, 4, 4), 1, rs.Streams(0, "score", range(3)))
    with pytest.raises(InputError, match=r"must lie in \[0, 2\*\*32\)"):
        rs.Streams(0, "score", [-1])
    with pytest.raises(ShapeError, match="one number per image"):
        rs.Streams(0, "score", [1, 2]).at([0])
    with pytest.raises(InputError, match="purpose"):
        rs.Streams(0, "", [1])
