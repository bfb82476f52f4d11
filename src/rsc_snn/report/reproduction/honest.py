"""One table for the whole project: paper, paper's protocol, reliable protocol, certified. Needs no torch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rsc_snn.evaluation.summary import FEW_IMAGES
from rsc_snn.paper.number import Number, Status
from rsc_snn.report.certificates import is_certified, largest_radius
from rsc_snn.report.reproduction.cells import measured_cell, paper_cell
from rsc_snn.report.reproduction.compared import RELIABLE, Cell, cell
from rsc_snn.report.reproduction.measured import CLEAN, ROBUST, Quantity
from rsc_snn.report.reproduction.paired import FEW_NOTE
from rsc_snn.report.reproduction.paper import PaperNumbers
from rsc_snn.report.reproduction.reading import NO_ROWS, NOT_ASKED, NOT_RUN, Evidence, Sample
from rsc_snn.report.reproduction.subjects import MEASURED_IN, Subject, Wanted, searched, subject_in
from rsc_snn.report.tables import MISSING, Table

NOT_MEASURED, READY = "not measured", "ready, not measured"
RADII = (0.25, 0.5)
_ATTACKS = ("FGSM", "PGD")
_CIFAR10, _CIFAR100 = ("CIFAR-10", "VGG-5"), ("CIFAR-100", "VGG-11")
BEST, BEST_100 = Wanted(*_CIFAR10, "best network"), Wanted("CIFAR-100", "VGG-5", "best network")
ROWS = (
    *(
        Wanted(*_CIFAR10, method)
        for method in ("ANN", "Direct", "Poisson", "RSC-0.01", "RSC-0.1", "RSC-0.1 + Adv", "RSC-0.1 + E-RSCT")
    ),
    BEST,
    *(Wanted(*_CIFAR100, method) for method in ("ANN", "Direct", "Poisson", "RSC-0.1", "RSC-0.1 + E-RSCT")),
    BEST_100,
    Wanted("Tiny-ImageNet", "VGG-16", "RSC-0.1", READY),
    Wanted("ImageNet", "ResNet-19", "RSC-0.1", READY),
    Wanted("ImageNet", "SEW-ResNet-18", "RSC-0.1", READY),
)
_COLUMNS = (
    "network",
    "the paper",
    "ours, paper's protocol: clean",
    "FGSM",
    "PGD",
    "ours, reliable protocol: worst case",
    *(f"certified at r = {radius:g}" for radius in RADII),
    "images",
)
_NOTE = (
    "Percent of a single noise draw; attacks in l_inf with eps 8/255; in brackets 95 % Wilson intervals over "
    "images, not over trainings. The reliable protocol and certificates take the first so many of the "
    "images, which may be harder or easier than the rest: columns of different images are not to be "
    "subtracted from each other. The paper's numbers are over all test images; derived ones follow from "
    "other places of it."
)
_CERTIFIED_NOTE = (
    "Certified: images whose own class no change of l_2 norm r turns in the majority vote, r in pixel units; "
    "each image with probability at least 1 - alpha per image over the draws of the noise{terms}. A dash: no "
    "certificate was made, or so many draws can prove no such radius."
)


@dataclass
class _Footnotes:
    """Texts with their numbers, in the order of their first mention."""

    texts: dict[str, int] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        """Return " (2)" for a text; the same for the same."""
        return f" ({self.texts.setdefault(text, len(self.texts) + 1)})"

    @property
    def lines(self) -> list[str]:
        return [f"({number}): {text}" for text, number in self.texts.items()]


def honest_table(found: Sequence[Evidence], best: Mapping[Wanted, Path], paper: PaperNumbers) -> Table:
    """Return a line per network: the paper's numbers, ours in both protocols, and what is certified.

    Args:
        found: Reproductions; a network is taken from the first that has rows of it, and all of it from there.
        best: Run folders of the best networks, by their lines (``BEST``, ``BEST_100``).
        paper: The numbers of the paper.

    Raises:
        RunFolderError: a file is damaged or of another version.
    """
    footnotes = _Footnotes()
    rows, sizes = [], set()
    subjects = {wanted: _subject(wanted, found, best) for wanted in ROWS}
    terms = dict.fromkeys(each for subject in subjects.values() if subject for each in _terms(subject))
    for wanted, subject in subjects.items():
        name = f"{wanted.dataset} {wanted.network}, {wanted.method}"
        mark = footnotes.mark(_origin(subject, is_one_term=len(terms) < 2)) if subject else ""
        rows.append([name + mark, _papers(paper, wanted), *_ours(wanted, subject)])
        sizes |= _sizes(subject)
    few = [FEW_NOTE] if sizes and min(sizes) < FEW_IMAGES else []
    return Table(
        "The paper, and what we measured",
        _COLUMNS,
        rows,
        [_NOTE, _certified_note(terms), *few, *footnotes.lines],
    )


def _terms(subject: Subject) -> list[str]:
    """Error and draws of the certificates that are shown of a network."""
    if {_certified(subject.certificates, radius) for radius in RADII} == {MISSING}:
        return []
    rows = [row for seed in subject.certificates.seeds for row in seed]
    return list(
        dict.fromkeys(
            f"alpha {row['alpha']:g}, {row['num_estimate']:,} draws and {row['num_select']:,} others that "
            "choose the class"
            for row in rows
        )
    )


def _origin(subject: Subject, *, is_one_term: bool) -> str:
    terms = [] if is_one_term else _terms(subject)
    return f"{subject.origin} Certified with {'; '.join(terms)}." if terms else subject.origin


def _certified_note(terms: Collection[str]) -> str:
    """One kind of certificates is told here; several with each network."""
    said = "; alpha and draws differ and stand with each network" if len(terms) > 1 else ""
    return _CERTIFIED_NOTE.format(terms=said or "".join(f" ({term})" for term in terms))


def _subject(wanted: Wanted, found: Sequence[Evidence], best: Mapping[Wanted, Path]) -> Subject | None:
    if wanted in best:
        return searched(best[wanted])
    return next((subject for evidence in found if (subject := subject_in(evidence, wanted))), None)


def _papers(paper: PaperNumbers, wanted: Wanted) -> str:
    """The paper's clean accuracy, FGSM and PGD; equal words once: "clean 90.69; FGSM, PGD not legible"."""
    cells = {name: paper_cell(_number(paper, wanted, name)) for name in ("Clean", *_ATTACKS)}
    if len(set(cells.values())) == 1:
        return cells["PGD"]
    named: dict[str, list[str]] = {}
    for name, text in cells.items():
        named.setdefault(text, []).append("clean" if name == "Clean" else name)
    return "; ".join(f"{', '.join(names)} {text}" for text, names in named.items())


def _number(paper: PaperNumbers, wanted: Wanted, column: str) -> Number | None:
    """The number of the network as legible as the paper has it: some stand in several tables."""
    cells = [
        paper.find(place, wanted.dataset, wanted.network, wanted.method, column) for place in MEASURED_IN
    ]
    return min((n for n in cells if n), key=lambda n: list(Status).index(n.status), default=None)


def _ours(wanted: Wanted, subject: Subject | None) -> list[str]:
    if subject is None:
        return [wanted.gap] * 4 + [MISSING] * (len(RADII) + 1)
    samples = subject.samples
    certified = [_certified(subject.certificates, radius) for radius in RADII]
    clean = next((samples[name] for name in _ATTACKS if samples[name].seeds), samples["FGSM"])
    return [
        _text(cell(CLEAN, clean)),
        *(_text(cell(ROBUST, samples[name])) for name in (*_ATTACKS, RELIABLE)),
        *certified,
        _images(subject, is_certified_shown=set(certified) != {MISSING}),
    ]


def _text(found: Cell) -> str:
    is_absent = found.measured is None and found.gap in (NOT_ASKED, NOT_RUN, NO_ROWS)
    return NOT_MEASURED if is_absent else measured_cell(found)


def _certified(sample: Sample, radius: float) -> str:
    rows = [row for seed in sample.seeds for row in seed]
    if not rows or any(row["norm"] != "l2" for row in rows) or radius > min(map(largest_radius, rows)):
        return MISSING
    certified = Quantity(lambda row: float(is_certified(row, radius)), is_attacked=False)
    return measured_cell(Cell(sample.measure(certified), sample.note))


def _images(subject: Subject, *, is_certified_shown: bool) -> str:
    """Images behind each kind of number: "300; reliable 32; certified 100"."""
    ours = [len(seed) for name in _ATTACKS for seed in subject.samples[name].seeds]
    others: Mapping[str, Sample] = {
        "reliable": subject.samples[RELIABLE],
        "certified": subject.certificates if is_certified_shown else Sample(),
    }
    parts = [f"{min(ours):,}"] if ours else []
    parts += [f"{name} {min(map(len, s.seeds)):,}" for name, s in others.items() if s.seeds]
    return "; ".join(parts) or MISSING


def _sizes(subject: Subject | None) -> set[int]:
    samples = [*subject.samples.values(), subject.certificates] if subject else []
    return {len(seed) for sample in samples for seed in sample.seeds}
