"""What a report holds: its chapters in order, and what stands above them. Needs no torch."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rsc_snn.report.audit_sections import audit_section
from rsc_snn.report.cells import read_cell
from rsc_snn.report.certificates import certificate_sections
from rsc_snn.report.comparison import comparison_sections
from rsc_snn.report.origin import origin_sections
from rsc_snn.report.reported import ReportedFolder
from rsc_snn.report.sections import Section
from rsc_snn.report.tables import attack_table

SMOKE = "smoke"


@dataclass(frozen=True)
class Chapter:
    """Sections that belong together.

    Attributes:
        title: The heading above them.
        sections: In order; a chapter without any is left out.
        is_folded: Whether the page shows only their titles until a reader opens them.
    """

    title: str
    sections: Sequence[Section]
    is_folded: bool = False


@dataclass(frozen=True)
class Report:
    """Everything that a format writes.

    Attributes:
        title: The only heading of the first rank.
        about: One line: what this is.
        warnings: What a reader must know before any number.
        facts: Pairs of a name and what there is of it.
        chapters: In order.
    """

    title: str
    about: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    chapters: Sequence[Chapter]

    def sections(self) -> Iterator[tuple[Chapter, Section]]:
        """Every section with its chapter."""
        return ((chapter, section) for chapter in self.chapters for section in chapter.sections)


def _comparison(folder: ReportedFolder) -> Chapter:
    return Chapter("Networks side by side", comparison_sections(folder))


def _certificates(folder: ReportedFolder) -> Chapter:
    found = [
        section
        for name, run in folder.runs.items()
        for section in certificate_sections(name, run.certificates, run.rows)
    ]
    return Chapter("Certificates", found)


def _audits(folder: ReportedFolder) -> Chapter:
    found = [audit_section(name, run.audit) for name, run in folder.runs.items() if run.audit]
    return Chapter("Audits: is this robustness real?", found)


def _each_run(folder: ReportedFolder) -> Chapter:
    found = [
        Section(name, tables=[attack_table(name, run.rows)])
        for name, run in folder.runs.items()
        if run.rows
    ]
    return Chapter("Every attack on every run", found, is_folded=len(found) > 1)


def _origin(folder: ReportedFolder) -> Chapter:
    return Chapter("How it was made", origin_sections(folder))


# The page in order. A new chapter is a function of the folder that stands in this list.
CHAPTERS: tuple[Callable[[ReportedFolder], Chapter], ...] = (
    _comparison,
    _certificates,
    _audits,
    _each_run,
    _origin,
)


def write_chapters(folder: ReportedFolder) -> list[Chapter]:
    """Return every chapter of ``CHAPTERS``, empty ones too."""
    return [write(folder) for write in CHAPTERS]


def report_of(folder: ReportedFolder, chapters: Sequence[Chapter]) -> Report:
    """Return the report with these chapters; those without sections are left out."""
    kept = [chapter for chapter in chapters if chapter.sections]
    plan = folder.reproduction
    return Report(
        title="How robust are these networks?" if plan is None else "The paper's numbers, measured again",
        about=(
            "Spiking networks under attack: accuracies with their intervals, read from the rows of "
            f"the folder `{folder.path.resolve().name}`."
        ),
        warnings=_warnings(folder),
        facts=_facts(folder, kept),
        chapters=kept,
    )


def _warnings(folder: ReportedFolder) -> list[str]:
    plan = folder.reproduction
    found = []
    if plan is not None and plan.budget == SMOKE:
        found.append(
            "Budget smoke: one small network stands in for every network of the paper. This shows that "
            "everything runs; no number here can be compared with the paper."
        )
    if not any(run.rows or run.certificates for run in folder.runs.values()):
        found.append("No attack was run yet: `rsc-snn attack RUN`.")
    return found


def _facts(folder: ReportedFolder, chapters: Sequence[Chapter]) -> list[tuple[str, str]]:
    facts = [("runs", str(len(folder.runs)))]
    plan = folder.reproduction
    if plan is not None:
        facts += [("budget", plan.budget), ("seeds", str(plan.seeds)), ("cells", _states(folder))]
    verdicts = _verdicts(chapters)
    if verdicts:
        facts.append(("verdicts", ", ".join(f"{count} {word}" for word, count in verdicts.items())))
    return facts


def _states(folder: ReportedFolder) -> str:
    tasks = folder.reproduction.tasks if folder.reproduction else ()
    counts = Counter(folder.states.get(task.key, "not run") for task in tasks)
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "none"


def _verdicts(chapters: Sequence[Chapter]) -> Counter[str]:
    """How often a verdict stands alone in a cell."""
    cells = (
        read_cell(cell)
        for chapter in chapters
        for section in chapter.sections
        for table in section.tables
        for row in table.rows
        for cell in row
    )
    return Counter(cell.verdict for cell in cells if cell.verdict and not cell.text)
