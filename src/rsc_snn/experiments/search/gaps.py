"""How far candidates of a search stand behind the first, on the same images. Needs no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rsc_snn.evaluation.aims import AbstractAim, Score
from rsc_snn.evaluation.differences import MeanDifference, mean_difference
from rsc_snn.evaluation.summary import WORST
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import RUNS

_SAME = ("suite", "budget", "seed", "eps")


def gaps_to_first(rows: Sequence[Row], aim: AbstractAim, folder: Path) -> Mapping[str, MeanDifference]:
    """Return the first's share of the aim minus that of each other candidate of its stage, over their images.

    Args:
        rows: Of search.jsonl, the last of each candidate, from best to worst.
        aim: What was searched for.
        folder: Of the search; its runs hold a row per image.

    Returns:
        Label -> difference of means in [-1, 1] with a 95 % interval over images, paired by image; without
        the first, candidates that failed, were left behind or do not fulfil the aim.
    """
    if not rows or not aim.admits(Score.of(rows[0])):
        return {}
    first = _shares(rows[0], aim, folder)
    found = {}
    for row in rows[1:]:
        if row["stage"] == rows[0]["stage"] and aim.admits(Score.of(row)):
            other = _shares(row, aim, folder)
            common = sorted(set(first) & set(other))
            if common:
                found[row["candidate"]] = mean_difference([first[index] - other[index] for index in common])
    return found


def _shares(row: Row, aim: AbstractAim, folder: Path) -> Mapping[int, float]:
    """Image -> its share."""
    scored = [
        each
        for each in RunFolder(folder / RUNS / row["run"]).validation_rows()
        if each["entry"] == WORST and all(each[name] == row[name] for name in _SAME)
    ]
    first, last = row["first_index"], row["last_index"]
    return {each["index"]: aim.share(each) for each in scored if first <= each["index"] <= last}
