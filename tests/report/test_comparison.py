"""The table of two runs, from hand-made rows."""

from rsc_snn.evaluation.comparison import compare_rows
from rsc_snn.report.comparison import comparison_table
from rsc_snn.runs.files import Row
from tests.evaluation.comparing import rows_of


def lines(first: list[Row], second: list[Row]) -> tuple[list[list[str]], str]:
    table = comparison_table("one", "other", compare_rows(first, second))
    assert table.title == "A: one, B: other"
    assert all(len(line) == len(table.columns) for line in table.rows)
    return [list(line) for line in table.rows], " ".join(table.notes)


def test_a_line_has_both_accuracies_and_their_difference() -> None:
    """Of 400 images A alone has 120, B alone 80, both 100: 55 %, 45 %, +10 +- 1.966 * sqrt(.49122 / 400)."""
    first = rows_of([1] * 120 + [0] * 80 + [1] * 100 + [0] * 100, draws=1, clean=1)
    second = rows_of([0] * 120 + [1] * 80 + [1] * 100 + [0] * 100, draws=1, clean=1)
    (clean, attacked), notes = lines(first, second)
    assert clean[:4] == ["clean, single draw", "-", "-", "400"]
    assert clean[6:] == ["+0.0 [-1.0, +1.0]*", "0", "0", "1"]
    assert attacked[:4] == ["PGD (paper), single draw", "linf", "8/255", "400"]
    assert attacked[4].startswith("55.0 [")
    assert attacked[5].startswith("45.0 [")
    assert attacked[6:] == ["+10.0 [+3.1, +16.9]", "120", "80", "0.00569"]
    assert "* Few images, or few on which the runs differ" in notes
    assert "not another training" in notes
    assert "Fewer than 30" not in notes


def test_what_a_reader_must_know_is_said() -> None:
    first = rows_of([20] * 8, draws=20)
    second = rows_of([1] * 6, draws=5, seed=3)
    found, notes = lines(first, second)
    assert [line[0] for line in found] == [
        "clean, single draw",
        "clean, majority vote",
        "PGD (paper), single draw",
        "PGD (paper), majority vote",
    ]
    assert found[2][7:] == ["-", "-", "-"], "shares are not 0 or 1"
    assert found[3][7:] == ["6", "0", "0.0312"], "six of six, by chance with 2 / 64"
    assert "Fewer than 30 images: a rough guide only." in notes
    assert "20 in A, 5 in B; the vote over more draws is another classifier" in notes
    assert "Seeds of the noise: 0 in A, 3 in B." in notes


def test_a_worst_case_that_is_not_reliable_is_called_so() -> None:
    worst = {"entry": "worst", "attack": "worst", "suite": "reliable", "draws": 1}
    good = rows_of([1] * 40, **worst)
    doubted = rows_of([1] * 40, **worst)
    for row in doubted:
        row["flags"] = ["surrogate-out-of-reach"]
    names = {line[0] for line in lines(good, doubted)[0]} | {line[0] for line in lines(doubted, good)[0]}
    assert names == {"clean, single draw", "worst case, NOT reliable (reliable), single draw"}
    assert "B, worst case: a gradient path cannot reach" in lines(good, doubted)[1]
    assert lines(good, good)[0][1][0] == "worst case, reliable (reliable), single draw"
