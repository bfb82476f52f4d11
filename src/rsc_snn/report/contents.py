"""What the report of a folder holds: its chapters in order, and what stands above them. Needs no torch."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rsc_snn.report.audit_sections import audit_section, lights_section
from rsc_snn.report.cells import COMPARED, Cell, read_cell
from rsc_snn.report.certificates import certificate_sections
from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.chapters import Chapter, Report
from rsc_snn.report.examples import example_sections
from rsc_snn.report.origin import origin_sections
from rsc_snn.report.reported import ReportedFolder
from rsc_snn.report.reproduction.sections import reproduction_sections
from rsc_snn.report.sections import Section
from rsc_snn.report.side_by_side import comparison_sections
from rsc_snn.report.tables import attack_table
from rsc_snn.report.theory import theory_sections
from rsc_snn.runs.folder import RunFolder

SMOKE = "smoke"


def _reproduction(folder: ReportedFolder) -> Chapter:
    return Chapter("The paper's tables and figures", reproduction_sections(folder.path) or [])


def _theory(folder: ReportedFolder) -> Chapter:
    """Of a folder of ``rsc-snn theory``; a reproduction shows its own as Figure 2."""
    place = RunFolder(folder.path)
    return Chapter("Theory", theory_sections(place.theory_rows(), place.theory_images))


def _inside(folder: ReportedFolder) -> Chapter:
    found = {name: example_sections(name, RunFolder(run.path)) for name, run in folder.runs.items()}
    sections = [section for own in found.values() for section in own]
    is_one = sum(map(bool, found.values())) == 1
    return Chapter("Images, spikes and activity", sections if is_one else (), () if is_one else sections)


def _comparison(folder: ReportedFolder) -> Chapter:
    found = comparison_sections(folder)
    is_whole = folder.reproduction is None  # else it mixes the networks of all tables
    return Chapter("Networks side by side", found if is_whole else (), () if is_whole else found)


def _certificates(folder: ReportedFolder) -> Chapter:
    found = [
        section
        for name, run in folder.runs.items()
        for section in certificate_sections(name, run.certificates, run.rows)
    ]
    table = certified_runs_table({name: run.certificates for name, run in folder.runs.items()})
    return _overview("Certificates", [Section(table.title, tables=[table])] if table else [], found)


def _audits(folder: ReportedFolder) -> Chapter:
    audits = {name: run.audit for name, run in folder.runs.items() if run.audit}
    found = [audit_section(name, rows) for name, rows in audits.items()]
    return _overview("Audits: is this robustness real?", [lights_section(audits)], found)


def _each_run(folder: ReportedFolder) -> Chapter:
    tables = [attack_table(name, run.rows) for name, run in folder.runs.items() if run.rows]
    return _overview("Every attack on every run", [], [Section(t.title, tables=[t]) for t in tables])


def _overview(title: str, overview: Sequence[Section], found: Sequence[Section]) -> Chapter:
    """One section is shown as it is; several are folded below what sums them up."""
    return Chapter(title, overview, found) if len(found) > 1 else Chapter(title, found)


def _origin(folder: ReportedFolder) -> Chapter:
    return Chapter("How it was made", origin_sections(folder))


# The page in order. A new chapter is a function of the folder that stands in this list.
CHAPTERS: tuple[Callable[[ReportedFolder], Chapter], ...] = (
    _reproduction,
    _theory,
    _comparison,
    _certificates,
    _audits,
    _inside,
    _each_run,
    _origin,
)


def write_chapters(folder: ReportedFolder) -> list[Chapter]:
    """Return every chapter of ``CHAPTERS``, empty ones too."""
    return [write(folder) for write in CHAPTERS]


def report_of(folder: ReportedFolder, chapters: Sequence[Chapter]) -> Report:
    """Return the report with these chapters; those without sections are left out."""
    kept = [chapter for chapter in chapters if chapter.all_sections()]
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
    has_rows = any(run.rows or run.certificates for run in folder.runs.values())
    if (folder.runs or plan is not None) and not has_rows:
        found.append("No attack was run yet: `rsc-snn attack RUN`.")
    return found


def _facts(folder: ReportedFolder, chapters: Sequence[Chapter]) -> list[tuple[str, str]]:
    facts = [("runs", str(len(folder.runs)))]
    plan = folder.reproduction
    if plan is not None:
        facts += [("budget", plan.budget), ("seeds", str(plan.seeds)), ("cells", _states(folder))]
    compared = Counter(cell.verdict for cell in _cells(chapters) if cell.verdict in COMPARED)
    checks = Counter(row["verdict"] for run in folder.runs.values() for row in run.audit)
    facts += [("compared with the paper", _counts(compared))] if compared else []
    facts += [("audit checks", _counts(checks))] if checks else []
    return facts


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counted.most_common())


def _states(folder: ReportedFolder) -> str:
    tasks = folder.reproduction.tasks if folder.reproduction else ()
    return _counts(Counter(folder.states.get(task.key, "not run") for task in tasks)) or "none"


def _cells(chapters: Sequence[Chapter]) -> Iterator[Cell]:
    return (
        read_cell(cell)
        for chapter in chapters
        for section in chapter.all_sections()
        for table in section.tables
        for row in table.rows
        for cell in row
    )
