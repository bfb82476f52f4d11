"""rsc-snn search: bad plans in one line, and a ranking that says what it is not."""

from pathlib import Path

import pytest
import yaml

from rsc_snn.cli.app import main
from rsc_snn.spec import to_data
from tests.experiments.small_search import PLAN


def written(folder: Path, **changes: object) -> str:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**to_data(PLAN), **changes}))
    return str(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidate": []}, "unknown key in plan.yaml (SearchPlan) 'candidate'; did you mean 'candidates'?"),
        ({"candidates": []}, "a search needs at least one candidate, got none"),
        ({"candidates": [{"label": "a"}]}, "plan.yaml.candidates[0] (Candidate) lacks recipe"),
        ({"protocol": {"suite": "papr"}}, "unknown suite 'papr'; did you mean 'paper'?"),
        ({"protocol": {"eps": 8}}, "eps must lie in (0, 1], pixel units such as 8/255, got 8.0"),
        ({"protocol": {"images": 0}}, "images must be at least 1, got 0"),
        (
            {"objective": {"kind": "Robst"}},
            "unknown kind in plan.yaml.objective 'Robst'; did you mean 'Robust'?",
        ),
        (
            {"objective": {"kind": "Robust", "clean_at_least": 80}},
            "clean_at_least must lie in [0, 1], got 80.0",
        ),
        ({"candidates": [{"label": "a", "recipe": "digits"}]}, "candidate 'a': unknown recipe 'digits'"),
    ],
)
def test_a_bad_plan_is_one_line_and_leaves_nothing(
    changes: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = written(tmp_path, **changes)
    assert main(["search", plan, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"rsc-snn: {message}")
    assert told.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_plan_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err.startswith("rsc-snn: no file")
    (tmp_path / "list.yaml").write_text("[1, 2")
    assert main(["search", str(tmp_path / "list.yaml")]) == 2
    told = capsys.readouterr().err
    assert "is not readable YAML" in told
    assert told.count("\n") == 1


def test_the_ranking_says_that_the_winner_must_be_measured_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "search",
        written(tmp_path),
        "--out",
        str(tmp_path / "out"),
        "--device",
        "cpu",
        "--compile",
        "off",
    ]
    assert main(words) == 0
    told = capsys.readouterr().out
    page = (tmp_path / "out" / "ranking.md").read_text()
    for text in (told, page):
        assert "is optimistic: it was chosen as the best of 2 networks" in text
        assert "measure it again on the test split" in text
        assert "no test image was opened" in text
        assert "Fewer than 30 images: a rough guide only." in text
    assert "measure the winner on the test split: " in told
    assert main(words) == 0
    assert "cells to compute" not in capsys.readouterr().out, "everything was there"
    assert (tmp_path / "out" / "ranking.md").read_text() == page
