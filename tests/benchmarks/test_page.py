"""Ratios, goals and the page, from rows made by hand; the committed page is that of the committed rows."""

import copy
from pathlib import Path

from rsc_snn.benchmarks.running import Results
from rsc_snn.report.goals import goals_table
from rsc_snn.report.performance import performance_page
from rsc_snn.report.timings import groups_of, ratio_of_peaks, ratio_of_seconds
from rsc_snn.runs.files import Row
from tests.benchmarks.rows import ENVIRONMENT, SETTINGS, row

ROOT = Path(__file__).parents[2]


def training() -> list[Row]:
    """Of ours over the ANN 1.5, 0.5 and 1.1; of SpikingJelly over ours 2, 8 and 3."""
    return [
        row("ours", [3.0, 1.0, 2.2], backend="eager", peak_bytes=60 * 2**20),
        row("ours", [6.0, 8.0, 6.6], backend="plain", peak_bytes=90 * 2**20),
        row("SpikingJelly", [6.0, 8.0, 6.6], backend="contiguous", peak_bytes=100 * 2**20),
        row("ANN", [2.0, 2.0, 2.0], outputs_checked=None),
    ]


def goals() -> dict[str, tuple[str, str, str]]:
    table = goals_table(training())
    assert table is not None
    return {line[2]: (line[1], line[3], line[4]) for line in table.rows}


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    """Not the ratio of medians: that of these two would be 2.2 / 2."""
    found = ratio_of_seconds(row("a", [3.0, 1.0, 2.2]), row("b", [1.0, 4.0, 2.0]))
    assert (found.value, found.low, found.high) == (2.2 / 2.0, 0.25, 3.0)
    assert str(found) == "1.10 [0.25, 3.00]"
    assert (
        str(ratio_of_seconds(row("a", [1.0, 3.0, 10.0]), row("b", [10.0, 1.0, 3.0]))) == "3.00 [0.10, 3.33]"
    )


def test_memory_that_was_not_measured_has_no_ratio() -> None:
    assert ratio_of_peaks(row("a", [1.0], peak_bytes=30), row("b", [1.0])) is None
    assert str(ratio_of_peaks(row("a", [1.0], peak_bytes=30), row("b", [1.0], peak_bytes=20))) == "1.50"


def test_goals_are_met_or_missed_by_the_fast_backends() -> None:
    assert goals() == {
        "at most 1.05 times the time of the ANN": ("ours (eager)", "1.10 [0.50, 1.50]", "missed"),
        "at least 1.5 times as fast as SpikingJelly": ("ours (eager)", "3.00 [2.00, 8.00]", "met"),
        "at most 0.6 times the memory of SpikingJelly": ("ours (eager)", "0.60", "met"),
    }


def test_the_plain_backend_is_held_to_the_goals_where_there_is_no_other() -> None:
    table = goals_table(training()[1:])
    assert table is not None
    assert [line[-1] for line in table.rows] == ["missed"] * 3
    assert {line[1] for line in table.rows} == {"ours (plain)"}


def test_goals_of_attacks_are_about_the_plain_classifier_and_memory_about_draws() -> None:
    sides = [("ours", "eager", 1.0, 2), ("torchattacks", "plain", 3.0, 2), ("torchattacks", "eager", 1.0, 1)]
    rows = [
        row(side, [seconds], case="attacks", backend=backend, settings={"attack": attack}, peak_bytes=peak)
        for attack in ("PGD, 7 steps", "PGD over 20 draws, 10 steps")
        for side, backend, seconds, peak in sides
    ]
    table = goals_table(rows)
    assert table is not None
    assert [list(line[2:]) for line in table.rows] == [
        ["at least 1.5 times as fast as torchattacks", "3.00", "met"],
        ["at least 1.5 times as fast as torchattacks", "3.00", "met"],
        ["at most 1 times the memory of torchattacks", "1.00", "met"],
    ]
    assert "over 20 draws" in table.rows[2][0]


def test_sides_with_other_settings_are_not_compared() -> None:
    other = [row("ANN", [1.0], settings={**SETTINGS, "num_steps": 4}), row("ANN", [1.0], quick=True)]
    groups = groups_of([row("ours", [1.0], backend="eager"), *other])
    assert [len(group) for group in groups] == [1, 1, 1]
    assert goals_table([row("ours", [1.0], backend="eager"), *other]) is None


def test_the_page_shows_every_side_with_its_numbers() -> None:
    page = performance_page(training(), [ENVIRONMENT])
    what = "VGG5(hidden_width=1024), direct, T=8, batch 32"
    assert f"| {what} | ours (eager) | 2.2 s | 1 s to 3 s | 1.10 [0.50, 1.50] | 25 % | 60 | - |" in page
    assert f"| {what} | ANN | 2 s | 2 s to 2 s | - | 25 % | - | - |" in page
    assert "3 rounds; load average of the machine at most 0.5." in page
    assert "not installed, without rows: Norse" in page
    assert "scipy" not in page
    assert "`rsc-snn benchmark --rounds 3`" in page
    assert "tiny sizes" not in page
    assert "tiny sizes" in performance_page([row("ANN", [1.0], quick=True)], [ENVIRONMENT])


def test_the_estimate_is_compared_with_all_that_is_held() -> None:
    held = row("ours", [1.0], peak_bytes=60, state_bytes=20, estimated_bytes=100)
    assert "| 1.25 |" in performance_page([held], [ENVIRONMENT])


def test_growth_is_relative_to_the_first_point_of_the_same_side_and_axis() -> None:
    points = [("T", 1, 1.0, 2.0), ("T", 2, 3.0, 3.0), ("batch", 8, 5.0, 5.0)]
    rows = [
        row(side, [seconds], case="growth", settings={"axis": axis, "value": value})
        for axis, value, ours, ann in points
        for side, seconds in (("ours", ours), ("ANN", ann))
    ]
    page = performance_page(rows, [ENVIRONMENT])
    assert "| T, 2 | ours | 3 s | 3 s to 3 s | 3.00 | 1.00 |" in page
    assert "| T, 2 | ANN | 3 s | 3 s to 3 s | 1.50 | - |" in page
    assert "| batch, 8 | ours | 5 s | 5 s to 5 s | 1.00 | 1.00 |" in page


def test_rates_and_waiting_are_shown() -> None:
    votes = row("certifying", [0.5], case="certification", amount=512, unit="votes")
    copy_row = row("copy", [0.5], case="ceilings", amount=2e9, unit="bytes")
    waiting = row("ours", [0.5], case="loader", share_waiting=0.125)
    page = performance_page([votes, waiting, copy_row], [ENVIRONMENT])
    assert "1024 votes/s" in page
    assert "4.0 Gbytes/s" in page
    assert "12.5 %" in page


def test_the_page_is_a_pure_function_of_the_rows() -> None:
    rows = training()
    before = copy.deepcopy(rows)
    assert performance_page(rows, [ENVIRONMENT]) == performance_page(rows, [ENVIRONMENT])
    assert rows == before


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    results = Results(ROOT / "benchmarks" / "results" / "cpu")
    assert results.rows
    assert {name for entry in results.environments for name in entry["cases"]} == {
        found["case"] for found in results.rows
    }
    page = (ROOT / "docs" / "performance.md").read_text()
    assert page == performance_page(results.rows, results.environments)
