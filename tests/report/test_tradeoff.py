"""Height above a curve at equal clean accuracy: by hand, by simulation, and as a table."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.special import ndtr

from rsc_snn.evaluation.differences import mean_difference
from rsc_snn.report.reproduction.equal_clean import Height, Outside, height_above
from rsc_snn.report.reproduction.paired import FEW_NOTE
from rsc_snn.report.reproduction.sections import place_sections
from rsc_snn.report.reproduction.tradeoff import tradeoff_table
from rsc_snn.report.reproduction.tradeoff_picture import tradeoff_picture, tradeoff_points
from rsc_snn.report.tables import Table
from rsc_snn.runs.files import Row
from rsc_snn.runs.reproduction import Line
from tests.report.folders import StubPaper, at, attack_row, evidence, line, reproduce

NETWORKS = [(0.7, 0.02), (0.6, 0.12), (0.45, 0.22), (0.3, 0.2)]


def images(accuracies: list[tuple[float, float]], count: int, rng: np.random.Generator) -> np.ndarray:
    """[N, networks, 2] of 0 and 1: what is hard for one network is hard for all."""
    hard = rng.normal(size=(count, 1, 1))
    own = rng.normal(size=(count, len(accuracies), 2))
    right = ndtr(0.8 * hard + 0.6 * own) < np.asarray(accuracies)
    return np.asarray(right, dtype=float)


def exactly(*accuracies: tuple[float, float], count: int = 1000) -> np.ndarray:
    """[N, networks, 2] whose means are these."""
    ranks = np.arange(count)[:, None, None]
    return (ranks < count * np.asarray(accuracies)).astype(float)


def test_the_height_is_read_off_the_line_between_two_points() -> None:
    found = height_above(exactly((0.4, 0.4), (0.9, 0.1), (0.8, 0.2)), exactly((0.6, 0.5))[:, 0])
    assert isinstance(found, Height)
    assert found.curve == pytest.approx(0.3), "half way from 0.4 to 0.8"
    assert found.value == pytest.approx(0.2)
    assert found.low < 0.2 < found.high


def test_on_a_point_of_the_curve_its_own_accuracy_is_taken() -> None:
    found = height_above(exactly((0.9, 0.1), (0.6, 0.3), (0.3, 0.2)), exactly((0.6, 0.2))[:, 0])
    assert isinstance(found, Height)
    assert found.curve == pytest.approx(0.3)
    assert found.value == pytest.approx(-0.1)


@pytest.mark.parametrize(("clean", "is_above"), [(0.95, True), (0.1, False), (0.9, True)])
def test_outside_the_curve_and_at_its_very_end_nothing_is_said(clean: float, is_above: bool) -> None:
    rng = np.random.default_rng(0)
    every = images([(0.9, 0.1), (0.5, 0.3), (clean, 0.2)], 400, rng)
    found = height_above(every[:, :-1], every[:, -1])
    assert isinstance(found, Outside)
    assert found.share > 0.025
    assert found.is_above == is_above


def test_where_nothing_differs_the_interval_is_that_of_mean_difference() -> None:
    curve = exactly((0.8, 0.0), (0.2, 0.0), count=200)
    found = height_above(curve, exactly((0.5, 0.0), count=200)[:, 0])
    assert isinstance(found, Height)
    floor = mean_difference([0.0] * 200)
    assert (found.low, found.high) == (floor.low, floor.high)
    assert found.high == pytest.approx(0.0196, abs=0.001), "3.9 / 200"
    assert found.is_extended


def shown_and_missed(
    point: tuple[float, float], curve: list[tuple[float, float]], samples: int
) -> tuple[list[float], int]:
    """Widths of the intervals that samples of 120 images show, and how many of these miss."""
    rng = np.random.default_rng(5)
    clean, robust = np.asarray(sorted(curve)).T
    true = point[1] - float(np.interp(point[0], clean, robust))
    missed, shown = 0, []
    for _ in range(samples):
        every = images([*curve, point], 120, rng)
        found = height_above(every[:, :-1], every[:, -1], resamples=100)
        if isinstance(found, Height):
            shown.append(found.high - found.low)
            missed += not found.low <= true <= found.high
    return shown, missed


def most(share: float, size: int) -> float:
    """So many of ``size`` are there at most if each is with that probability, up to three deviations."""
    return size * share + 3 * math.sqrt(size * share * (1 - share))


@pytest.mark.parametrize(
    ("point", "curve"),
    [
        ((0.55, 0.10), NETWORKS),  # between points
        ((0.60, 0.10), NETWORKS),  # at a corner
        ((0.55, 0.005), [(clean, 0.01) for clean, _ in NETWORKS]),  # one image of a hundred
    ],
)
def test_of_the_intervals_that_are_shown_one_of_twenty_misses(
    point: tuple[float, float], curve: list[tuple[float, float]]
) -> None:
    samples = 250
    shown, missed = shown_and_missed(point, curve, samples)
    assert len(shown) > 0.5 * samples
    assert missed <= most(0.05, len(shown))
    assert np.mean(shown) < 0.25, "and they are short enough to say something"


@pytest.mark.parametrize(
    ("point", "curve"),
    [((0.69, 0.05), NETWORKS), ((0.68, 0.11), [(0.7, 0.02), (0.6, 0.32), (0.3, 0.4)])],
    ids=["flat", "steep"],
)
def test_near_the_end_few_intervals_are_shown_and_one_of_five_may_miss(
    point: tuple[float, float], curve: list[tuple[float, float]]
) -> None:
    samples = 600
    shown, missed = shown_and_missed(point, curve, samples)
    assert 20 <= len(shown) < 0.3 * samples
    assert missed <= most(0.2, len(shown))


def test_a_large_difference_is_found() -> None:
    every = images([*NETWORKS, (0.55, 0.4)], 200, np.random.default_rng(3))
    found = height_above(every[:, :-1], every[:, -1])
    assert isinstance(found, Height)
    assert found.low > 0.1
    again = height_above(every[:, :-1], every[:, -1])
    assert found == again, "a fixed seed"


def run(clean: int, right: int, size: int = 60, **changes: Any) -> list[Row]:
    """So many of ten images are right before and under attack, in every draw."""
    return [
        attack_row(i, 10 * ((7 * i) % 10 < right), clean=10 * ((7 * i) % 10 < clean), **changes)
        for i in range(size)
    ]


RUNS = {"r1": run(8, 2), "r2": run(4, 4), "p": run(6, 1), "n": run(9, 1), "gone": []}


def arms(*others: Line) -> list[Line]:
    curve = [arm("RSC", run, variance=v) for run, v in (("r1", 0.01), ("r2", 0.1))]
    return [*curve, *others]


def arm(method: str, run: str, **conditions: float) -> Line:
    return line("tradeoff", method, numbers={"PGD": (at(run, entry="PGD"),)}, conditions=conditions)


def tabled(folder: Path, lines: list[Line], runs: dict[str, list[Row]]) -> Table:
    reproduce(folder, lines, runs, places=["tradeoff"])
    table = tradeoff_table(evidence(folder), "Trade-off", lines)
    assert table is not None
    return table


def test_the_table_subtracts_the_curve_at_equal_clean_accuracy(tmp_path: Path) -> None:
    lines = arms(arm("Poisson", "p", T=4), arm("ANN + noise", "n", variance=0.1), arm("Poisson", "gone", T=8))
    poisson, noise, gone = tabled(tmp_path, lines, RUNS).rows
    assert poisson[0] == "Poisson, T=4"
    assert [cell.split()[0] for cell in poisson[1:]] == ["60.0", "10.0", "30.0", "-20.0", "60"]
    assert noise[:1] == ["ANN + noise, variance 0.1"]
    assert noise[3:] == ["-", "- (clean accuracy above the curve's in 100 % of the resamples)", "60"]
    assert gone[1:] == ["no such rows", "-", "-", "-", "-"]


def test_only_images_of_the_whole_curve_count_and_gaps_are_told(tmp_path: Path) -> None:
    runs = {**RUNS, "p": run(6, 1, size=20)}
    lines = arms(arm("RSC", "missing", variance=0.5), arm("Poisson", "p", T=4))
    table = tabled(tmp_path, lines, runs)
    assert table.rows[0][-1] == "20"
    assert FEW_NOTE in table.notes
    assert any("2 of 3 lines of RSC (variance 0.5: not run yet)" in note for note in table.notes)
    assert any("not over trainings" in note for note in table.notes)
    assert any("Near the ends of the curve" in note and "about 80 %" in note for note in table.notes)
    one = tabled(tmp_path / "one", [arm("RSC", "r1", variance=0.1), arm("Poisson", "p", T=4)], RUNS)
    assert one.rows[0][4] == "- (RSC has fewer than two points)"


def test_the_picture_has_a_curve_per_method(tmp_path: Path) -> None:
    lines = arms(arm("Poisson", "p", T=4), arm("ANN + noise", "n", variance=0.1))
    reproduce(tmp_path, lines, RUNS, places=["tradeoff"])
    found = {s.method: points for s, points in tradeoff_points(evidence(tmp_path), lines).items()}
    assert {method: len(points) for method, points in found.items()} == {
        "RSC": 2,
        "Poisson": 1,
        "ANN + noise": 1,
    }
    assert [words for *_, words in found["RSC"]] == ["variance 0.1", "variance 0.01"], "by clean accuracy"
    (picture,) = tradeoff_picture(evidence(tmp_path), lines)
    assert Image.open(io.BytesIO(picture.png)).size[0] > 300
    assert "variance 0.01" in picture.alt
    assert tradeoff_picture(evidence(tmp_path), lines[:1]) == []


@pytest.mark.parametrize(("place", "condition"), [("variance", "variance"), ("timesteps", "T")])
def test_questions_over_a_condition_are_drawn(tmp_path: Path, place: str, condition: str) -> None:
    numbers = {name: {"PGD": (at(name, entry="PGD"),)} for name in ("p", "r1", "r2")}
    direct = [line(place, "Direct", numbers=numbers["p"], conditions={condition: 0.0})]
    lines = [
        *(direct if place == "variance" else []),
        *(
            line(place, "RSC", numbers=numbers[run], conditions={condition: x})
            for run, x in (("r1", 1.0), ("r2", 4.0))
        ),
    ]
    reproduce(tmp_path, lines, RUNS, places=[place])
    (picture,) = place_sections(evidence(tmp_path), StubPaper())[place].pictures
    assert "clean, 60 images" in picture.alt
    assert "PGD, 60 images: " in picture.alt
    assert Image.open(io.BytesIO(picture.png)).size[0] > 300
