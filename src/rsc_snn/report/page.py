"""The report: one self-contained HTML page of a folder of runs."""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsc_snn.errors import InputError
from rsc_snn.report.audits import audit_section
from rsc_snn.report.certificates import certificate_sections
from rsc_snn.report.certified_runs import certified_runs_table
from rsc_snn.report.curves import draw_accuracy_over_eps
from rsc_snn.report.tables import Table, attack_table, paper_table, protocol_table
from rsc_snn.runs.files import Row, read_environments, replace_text
from rsc_snn.runs.folder import RunFolder

CURVES = "accuracy-over-eps.png"
_TEMPLATE = Path(__file__).with_name("page.html.jinja")


@dataclass(frozen=True)
class ReportedRun:
    """A run as the report shows it: nothing but what its files say."""

    name: str
    rows: list[Row]
    training: list[Row]
    environments: list[dict[str, Any]]
    audit: list[Row]
    certificates: list[Row]


def find_runs(folder: Path) -> list[RunFolder]:
    """Return the run in ``folder`` and those in ``folder/runs``, by name.

    Raises:
        InputError: there is none.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {str(folder)!r}; give a run folder, or one that holds runs/NAME")
    candidates = [folder, *sorted(folder.glob("runs/*")), *sorted(folder.glob("*"))]
    found = {run.path.resolve(): run for run in map(RunFolder, candidates) if run.exists()}
    if not found:
        raise InputError(f"no run in {str(folder)!r}; expected run.yaml there or in its runs/NAME")
    return list(found.values())


def read_run(folder: RunFolder) -> ReportedRun:
    """Read what the report needs; torch is not imported."""
    spec = folder.read_spec()
    recipe = spec.get("recipe")
    name = recipe.get("name") if isinstance(recipe, dict) else None
    return ReportedRun(
        str(name or folder.path.resolve().name),
        folder.attack_rows(),
        folder.epoch_rows(),
        read_environments(folder.environment),
        folder.audit_rows(),
        folder.certificate_rows(),
    )


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the page (default ``folder/report.html``) and the curves beside it; return its path.

    Raises:
        InputError: there is no run in ``folder``.
    """
    runs = [read_run(run) for run in find_runs(folder)]
    path = out or folder / "report.html"
    rows = _by_unique_name(runs)
    picture = path.parent / CURVES
    has_curves = draw_accuracy_over_eps(rows, picture)
    audits = {name: run.audit for name, run in zip(rows, runs, strict=True) if run.audit}
    main = [table for table in (paper_table(rows), protocol_table(rows, audits)) if table]
    certified = certified_runs_table({n: run.certificates for n, run in zip(rows, runs, strict=True)})
    tables = [*main, *(attack_table(name, r) for name, r in rows.items() if r)]
    tables += [certified] if certified else []
    html = _render(
        tables=tables,
        audits=[audit_section(name, found) for name, found in audits.items()],
        certificates=[
            section
            for name, run in zip(rows, runs, strict=True)
            for section in certificate_sections(name, run.certificates, run.rows)
        ],
        training=_training_table(runs),
        curves=base64.b64encode(picture.read_bytes()).decode() if has_curves else None,
        environments=_distinct(runs),
        commands=[shlex.join(entry["command"]) for run in runs for entry in run.environments],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, html)
    return path


def _by_unique_name(runs: Sequence[ReportedRun]) -> dict[str, list[Row]]:
    named: dict[str, list[Row]] = {}
    for run in runs:
        name, number = run.name, 2
        while name in named:
            name, number = f"{run.name} ({number})", number + 1
        named[name] = run.rows
    return named


def _training_table(runs: Sequence[ReportedRun]) -> Table:
    lines = [
        [
            run.name,
            str(last["epoch"]),
            f"{last['loss']:.3f}",
            f"{100 * last['train_accuracy']:.1f}",
            "-" if last["validation_accuracy"] is None else f"{100 * last['validation_accuracy']:.1f}",
            f"{sum(row['seconds'] for row in run.training) / 60:.1f}",
        ]
        for run in runs
        for last in run.training[-1:]
    ]
    columns = ("network", "epochs", "loss", "train %", "validation %", "minutes")
    return Table("Training, last epoch", columns, lines)


def _distinct(runs: Sequence[ReportedRun]) -> list[dict[str, Any]]:
    """Environments without what differs in every run: time, command line and data."""
    seen: list[dict[str, Any]] = []
    for entry in (entry for run in runs for entry in run.environments):
        kept = {
            key: entry[key] for key in entry if key not in ("started", "command", "data", "seed", "subject")
        }
        if kept not in seen:
            seen.append(kept)
    return seen


def _render(**values: Any) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(**values)
