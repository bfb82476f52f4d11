"""The reliable suite in batches of 1, 3 and 16: the same noise bit by bit, and in float64 the same rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.attacks import APGD, SAPGD, Entry, Square, Suite, Transfer
from rsc_snn.codings import randomized_smoothing
from rsc_snn.rng import normal_like
from rsc_snn.runs.files import Row
from tests.gradients.toys import lively
from tests.helpers import seeded

pytestmark = pytest.mark.filterwarnings("ignore::rsc_snn.errors.WeakEvaluation")

SIZES = (1, 3, 16)  # the last is larger than the number of images
NUM_IMAGES = 4
PASSES = ("batch_size", "draw_chunk", "rows_per_pass")
MEASURED = ("heldout_margin", "linf", "l2")


def shortened(suite: Suite) -> Suite:
    """The same entries with 2 steps, or 5 queries, and 2 draws."""
    return replace(suite, name="short", entries=tuple(_shortened(entry) for entry in suite.entries))


def _shortened(entry: Entry) -> Entry:
    attack: Any = entry.attack
    kinds: dict[type, dict[str, Any]] = {
        APGD: {"num_steps": 2},
        SAPGD: {"num_steps": 2},
        Square: {"num_steps": 5},
        Transfer: {"of": APGD(num_steps=2)},
    }
    gradient: Any = entry.gradient
    return replace(
        entry, attack=replace(attack, **kinds[type(attack)]), gradient=replace(gradient, num_draws=2)
    )


def problem(classifier: rs.SpikingClassifier, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Images, and labels that are right under most draws."""
    images = torch.rand(NUM_IMAGES, 1, 8, 8, generator=seeded(2)).to(dtype)
    return images, classifier.logits(images, rs.Streams(0, "probe", range(NUM_IMAGES))).argmax(1)


def in_order(rows: list[Row]) -> Iterator[Row]:
    for row in sorted(rows, key=lambda row: (row["entry"], row["index"])):
        yield {name: value for name, value in row.items() if name not in PASSES}


def is_same(row: Row, other: Row) -> bool:
    """Equal but for rounding of what was measured in floating point."""
    measured = [[given[name] for name in MEASURED] for given in (row, other)]
    if (measured[0][0] is None) != (measured[1][0] is None):
        return False
    exact = [{name: value for name, value in given.items() if name not in MEASURED} for given in (row, other)]
    return exact[0] == exact[1] and (
        measured[0][0] is None or measured[0] == pytest.approx(measured[1], rel=1e-5, abs=1e-7)
    )


def share_of_differing(rows: list[Row], others: list[Row]) -> float:
    pairs = list(zip(in_order(rows), in_order(others), strict=True))
    return sum(not is_same(*pair) for pair in pairs) / len(pairs)


def classifier(dtype: torch.dtype) -> rs.SpikingClassifier:
    return lively(rs.codings.RandomizedSmoothing(variance=0.02)).to(dtype)


def suite(dtype: torch.dtype) -> Suite:
    source = lively(rs.codings.Poisson()).to(dtype)
    return rs.attacks.reliable(eps=0.03, sources=(source,), budget="quick")


@pytest.mark.slow
def test_rows_of_every_entry_are_the_same_in_float64() -> None:
    """Also where a pass holds fewer rows than the batch has images."""
    victim = classifier(torch.float64)
    images, labels = problem(victim, torch.float64)
    found = [
        rs.evaluate(
            victim,
            images,
            labels,
            attacks=shortened(suite(torch.float64)),
            num_draws=4,
            batch_size=size,
            rows_per_pass=rows,
        ).rows
        for size, rows in zip(SIZES, (None, 2, None), strict=True)
    ]
    assert len(found[0]) == 8 * NUM_IMAGES
    assert len({row["winner"] for row in found[0] if row["entry"] == "worst"}) > 2, "several entries win"
    for other in found[1:]:
        assert share_of_differing(found[0], other) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_noise_is_the_same_bit_by_bit(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so are rows in float64; in float32 rounding may flip a spike, and the share of rows is told."""
    size = 0
    seen: dict[tuple[str, int, int], set[bytes]] = {}
    original = normal_like

    def spy(image: Tensor, num_steps: int, generator: rs.Streams) -> Tensor:
        numbers_SBCHW = original(image, num_steps, generator)
        for index, numbers in zip(generator.indices.tolist(), numbers_SBCHW.unbind(1), strict=True):
            key = (generator.purpose, index, size)
            seen.setdefault(key, set()).add(numbers.contiguous().numpy().tobytes())
        return numbers_SBCHW

    monkeypatch.setattr(randomized_smoothing, "normal_like", spy)
    victim = classifier(dtype)
    images, labels = problem(victim, dtype)
    entries = shortened(rs.attacks.reliable(eps=0.03)).entries[:4]
    attacks = [(entry.attack, entry.gradient) for entry in entries]
    found = []
    for size in SIZES:
        found.append(rs.evaluate(victim, images, labels, attacks=attacks, num_draws=4, batch_size=size).rows)
    for purpose in ("attack", "heldout", "score"):
        for index in range(NUM_IMAGES):
            assert seen[purpose, index, 1] == seen[purpose, index, 3] == seen[purpose, index, 16]
    shares = [share_of_differing(found[0], other) for other in found[1:]]
    print(f"{dtype}: share of rows that differ from batches of 1, in batches of 3 and 16: {shares}")
    assert dtype == torch.float32 or shares == [0, 0]
