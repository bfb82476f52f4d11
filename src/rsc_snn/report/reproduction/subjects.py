"""A network with everything that was measured on it, from a reproduction or a run folder. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.summary import WORST
from rsc_snn.report.certificates import groups_of
from rsc_snn.report.reproduction.checklist import CERTIFIED
from rsc_snn.report.reproduction.compared import RELIABLE
from rsc_snn.report.reproduction.completing import completed, runs_of
from rsc_snn.report.reproduction.origin import recipe_words
from rsc_snn.report.reproduction.reading import Evidence, Sample
from rsc_snn.report.tables import PAPER, of_suite
from rsc_snn.runs.files import Row
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.reproduction import RUNS, Line

MEASURED_IN = ("table3", "table5", "table6")  # white-box attacks on the networks that the paper names
_SHOWN = ("FGSM", "PGD", RELIABLE)
_EPS = 8 / 255


@dataclass(frozen=True)
class Wanted:
    """A network of the paper.

    Attributes:
        dataset: As in ``paper.number.Number``.
        network: As in ``paper.number.Number``.
        method: As in ``paper.number.Number``.
        gap: What is said where nothing was measured.
    """

    dataset: str
    network: str
    method: str
    gap: str = "not measured"


@dataclass(frozen=True)
class Subject:
    """What was measured on a network.

    Attributes:
        samples: By "FGSM", "PGD" and "reliable".
        certificates: Made by taking all draws; empty where there are none.
        origin: Where the rows stand, and how the network is smaller than the full recipe.
    """

    samples: Mapping[str, Sample]
    certificates: Sample
    origin: str


def subject_in(evidence: Evidence, wanted: Wanted) -> Subject | None:
    """Return a network of a reproduction; None without rows, or where something else stood in for it."""
    for line in completed(evidence.plan.lines):
        if line.place not in MEASURED_IN or line.stand_in is not None or line.conditions:
            continue
        if (line.dataset, line.network, line.method) != (wanted.dataset, wanted.network, wanted.method):
            continue
        samples = {name: evidence.sample(line.numbers.get(name, ())) for name in _SHOWN}
        if any(sample.seeds for sample in samples.values()):
            return Subject(samples, _certificates(evidence, line), _origin(evidence, line, samples))
    return None


def _certificates(evidence: Evidence, line: Line) -> Sample:
    """Certificates of the very runs of a line."""
    runs = runs_of(line)
    for other in evidence.plan.lines:
        if other.place == CERTIFIED and other.stand_in is None and runs_of(other) == runs:
            sample = evidence.sample(other.numbers.get(CERTIFIED, ()))
            if all(row["target"] is None for rows in sample.seeds for row in rows):
                return sample
    return Sample()


def _origin(evidence: Evidence, line: Line, samples: Mapping[str, Sample]) -> str:
    count = len({run for sample in samples.values() for run in sample.runs})
    seeds = "one seed" if count == 1 else f"{count} seeds"
    cuts = ", ".join(line.reductions) or "the full recipe"
    return f"{evidence.folder.name}, budget {evidence.plan.budget}, {seeds}: {cuts}."


def searched(folder: Path) -> Subject:
    """Return the network of a run folder, of one seed for each protocol.

    Raises:
        RunFolderError: the folder has no rows of attacks, its rows are about several networks, run.yaml
            cannot be read, or a file is damaged or of another version.
    """
    run = RunFolder(folder)
    rows = [row for row in run.attack_rows() if row["norm"] == "linf" and abs(row["eps"] - _EPS) < 1e-9]
    paper, worst = of_suite(rows, PAPER), of_suite([r for r in rows if r["entry"] == WORST], RELIABLE)
    if not paper and not worst:
        raise RunFolderError(f"{str(run.attacks)!r} has no rows of eps 8/255 in l_inf; attack that run first")
    samples = {name: _sample(folder, [row for row in paper if row["entry"] == name]) for name in _SHOWN[:2]}
    samples[RELIABLE] = _sample(folder, worst)
    certificates = _sample(folder, _most_draws(run.certificate_rows()))
    _require_one_network(folder, [*samples.values(), certificates])
    return Subject(
        samples,
        certificates,
        f"the run {folder.name} in {_home(folder).name}, one seed: {recipe_words(run)}.",
    )


def _home(run: Path) -> Path:
    """DIR of DIR/runs/NAME or DIR/NAME."""
    return run.parent.parent if run.parent.name == RUNS else run.parent


def _require_one_network(folder: Path, samples: Sequence[Sample]) -> None:
    """Raise unless all rows are about the same weights, specification and data."""
    found = {row.get("subject") for sample in samples for rows in sample.seeds for row in rows}
    if len(found) > 1:
        raise RunFolderError(
            f"rows of attacks and certificates in {str(folder)!r} are about {len(found)} networks (subjects "
            f"{', '.join(sorted(map(str, found)))}); attack and certify the run anew"
        )


def _sample(folder: Path, rows: Sequence[Row]) -> Sample:
    ordered = tuple(sorted(rows, key=lambda row: row["index"]))
    return Sample((ordered,), 1, (), (folder.name,)) if ordered else Sample()


def _most_draws(rows: Sequence[Row]) -> Sequence[Row]:
    """Certificates of one kind in l_2: those with the most draws."""
    groups = [alike for alike in groups_of(rows) if alike[0]["norm"] == "l2" and alike[0]["target"] is None]
    return max(groups, key=lambda alike: (alike[0]["num_estimate"], len(alike)), default=())
