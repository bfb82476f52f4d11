"""docs/theory.md says what the committed rows say."""

from pathlib import Path

import pytest

from rsc_snn.report.theory import theory_tables
from rsc_snn.runs.files import Row, read_environments
from rsc_snn.runs.folder import RunFolder

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "results").glob("*/theory.jsonl"))


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_the_page_has_every_table_of_the_rows(path: Path) -> None:
    page = (ROOT / "docs" / "theory.md").read_text()
    assert path.name in page
    tables = theory_tables(RunFolder(path).theory_rows())
    assert len(tables) == 6
    for table in tables:
        assert f"| {' | '.join(table.columns)} |" in page
        for line in table.rows:
            assert f"| {' | '.join(line)} |" in page
        for note in table.notes:
            assert note in page


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_the_rows_name_what_they_were_made_with(path: Path) -> None:
    rows = RunFolder(path).theory_rows()
    (entry,) = read_environments(RunFolder(path).environment)
    assert {row["seed"] for row in rows} == {entry["seed"]}
    assert {row["num_samples"] for row in rows if row["part"] == "covariance"} == {entry["num_samples"]}
    assert all(row["verdict"] != "fail" for row in rows)


def test_there_are_rows() -> None:
    assert FOLDERS


def sentences(rows: list[Row]) -> list[str]:
    """What the page says in words, with the numbers of the rows."""
    by_name = {row["name"]: row for row in rows}

    def cosines(pair: str, time: str, kind: str, data: str = "cifar10") -> tuple[str, str]:
        row = by_name[f"similarity: {data}: {pair}: {time}: {kind}"]
        return f"{row['value']:.2f}", f"{row['details']['control'][0]:.2f}"

    mean = "mean over 8 steps"
    one, control = cosines("RSC 0.1 and Poisson", "one step", "uncentred")
    centred, control_centred = cosines("RSC 0.1 and Poisson", "one step", "centred")
    clean = cosines("direct and direct", "one step", "uncentred")[1]
    smooth, spikes = (cosines(f"{c} and direct", "one step", "uncentred")[0] for c in ("RSC 0.1", "Poisson"))
    second, second_control = cosines("RSC-II 0.1 and Poisson", mean, "uncentred")
    second_centred = cosines("RSC-II 0.1 and Poisson", mean, "centred")[0]
    digits = cosines("direct and direct", "one step", "centred", "digits")[1]
    fgsm = [
        [
            100 * case["relative_change"]
            for row in rows
            if row["name"].startswith(f"change-{noise}: first layer")
            for case in row["details"]["cases"]
        ]
        for noise in ("poisson", "clamped")
    ]
    pixels = by_name["clamp-breaks-theorem-3.3: single pixels"]
    return [
        f"have a cosine of {one} on CIFAR-10, one step at variance 0.1. Two *different* images coded so have "
        f"{control}, and two different photographs without any coding {clean}.",
        f"Centred, the same pair has {centred}, and different images {control_centred}.",
        f"to the clean image ({smooth}), and so is Poisson coding ({spikes})",
        f"RSC-II and Poisson coding reach {second} (different images {second_control}; centred "
        f"{second_centred})",
        f"two different ones have a centred cosine of {digits} without coding",
        f"by {min(fgsm[0]):.0f} to {max(fgsm[0]):.0f} % under FGSM of 8/255, and that of RSC with its clamp "
        f"by {min(fgsm[1]):.1f} to {max(fgsm[1]):.1f} %",
        f"the mean of a black or white pixel by {pixels['details']['largest_shift']:.3f}, "
        f"{255 * pixels['details']['largest_shift']:.0f}/255",
    ]


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_the_words_have_the_numbers_of_the_rows(path: Path) -> None:
    page = " ".join((ROOT / "docs" / "theory.md").read_text().split())
    for sentence in sentences(RunFolder(path).theory_rows()):
        assert sentence in page
