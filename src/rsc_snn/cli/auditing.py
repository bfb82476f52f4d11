"""Running an audit from the command line and printing what it found."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rsc_snn.auditing.audit import Audit
from rsc_snn.auditing.checks import AbstractCheck
from rsc_snn.auditing.finding import Answer, percent
from rsc_snn.auditing.run import audit_run
from rsc_snn.cli.options import read_device
from rsc_snn.cli.printing import make_console, program
from rsc_snn.runs.audit_schema import FAIL, NOT_APPLICABLE, PASS, WARN
from rsc_snn.runs.folder import RunFolder

_STYLES = {PASS: "green", WARN: "yellow", FAIL: "bold red", NOT_APPLICABLE: "dim"}


def audit_and_show(
    run: Path,
    *,
    is_json: bool,
    eps: float,
    budget: str,
    sources: Sequence[Path],
    num_draws: int,
    limit: int,
    seed: int,
    device: str | None,
    data_root: Path | None,
) -> None:
    """Audit a run folder and print a table, or the rows as JSON."""
    console = make_console()
    RunFolder(run).read_spec()
    audit = audit_run(
        run,
        eps=eps,
        sources=sources,
        num_draws=num_draws,
        budget=budget,
        seed=seed,
        limit=limit,
        device=read_device(device),
        data_root=data_root,
        on_check=lambda check, answer: None if is_json else _show_progress(console, check, answer),
        on_estimate=lambda seconds: None if is_json else _show_estimate(console, run, budget, seconds),
    )
    if is_json:
        typer.echo(json.dumps(audit.rows, indent=1))
    else:
        _show(console, run, audit)


def _show_estimate(console: Console, run: Path, budget: str, seconds: float) -> None:
    shown = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, seconds):.0f} s"
    console.print(f"auditing {run}, budget {budget}: about {shown}", soft_wrap=True)


def _show_progress(console: Console, check: AbstractCheck, answer: Answer | None) -> None:
    if answer is not None:
        verdict = Text(answer.finding.verdict, style=_STYLES[answer.finding.verdict])
        console.print(Text.assemble(f"{answer.seconds:6.1f} s  {check.title}: ", verdict), soft_wrap=True)


def _show(console: Console, run: Path, audit: Audit) -> None:
    table = Table(title=_title(run, audit), title_justify="left", title_style="bold", show_edge=False)
    for name in ("sign", "check", "verdict", "value", "limit"):
        table.add_column(name, justify="right" if name in ("value", "limit") else "left")
    for answer in audit.answers:
        finding = answer.finding
        table.add_row(
            "-" if answer.sign is None else str(answer.sign),
            answer.title,
            Text(finding.verdict, style=_STYLES[finding.verdict]),
            _number(finding.value),
            _number(finding.threshold),
        )
    console.print(table)
    for answer in audit.answers:
        if answer.finding.verdict in (WARN, FAIL):
            verdict = Text(f"{answer.finding.verdict}: ", style=_STYLES[answer.finding.verdict])
            console.print(Text.assemble(verdict, f"{answer.title}. {answer.finding.note}"), soft_wrap=True)
    if audit.settings["budget"] != "full":
        console.print("A quick audit looks less closely than a full one.", style="dim")
    next_command = shlex.join([program(), "report", str(run)])
    console.print(f"rows: {RunFolder(run).audit}; curves: {next_command}", soft_wrap=True)


def _title(run: Path, audit: Audit) -> Text:
    known = audit.settings
    clean = known["clean_accuracy"]
    accuracy = "" if clean is None else f", clean accuracy {percent(clean)}"
    about = f"{known['num_images']} images{accuracy}, eps {known['eps']:.3g}, budget {known['budget']}"
    return Text(f"{run}: {audit.worst} ({about})")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
