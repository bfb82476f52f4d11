"""Files that survive a crash: atomic replacement, appended rows, a cut tail."""

import json
from pathlib import Path

import pytest

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.files import append_rows, cut_rows, read_rows, replace_file, replace_text


def test_rows_come_back(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_rows(path, [{"a": 1}, {"a": [2, 3]}])
    append_rows(path, [{"b": None}])
    assert read_rows(path) == [{"a": 1}, {"a": [2, 3]}, {"b": None}]
    assert read_rows(tmp_path / "nothing") == []


@pytest.mark.parametrize("tail", ['{"index": 3, "co', '{"index": 3}', "\ufffd"])
def test_an_unfinished_row_is_left_out_and_cut(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "rows.jsonl"
    append_rows(path, [{"index": i} for i in range(3)])
    with open(path, "a") as file:
        file.write(tail)
    assert len(read_rows(path)) == 3
    assert cut_rows(path) == [{"index": i} for i in range(3)]
    append_rows(path, [{"index": 3}])
    assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == [0, 1, 2, 3]


def test_rows_can_be_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_rows(path, [{"epoch": i} for i in range(5)])
    assert cut_rows(path, keep=lambda row: row["epoch"] < 3) == [{"epoch": i} for i in range(3)]
    assert len(read_rows(path)) == 3


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n[3]\n{"a": 2}\n')
    with pytest.raises(RunFolderError, match=r"line 2 of .* is not a JSON object"):
        read_rows(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_text(path, "old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace_file(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
