"""The work of ``rsc-snn theory``."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from rsc_snn.cli.printing import make_console, print_table
from rsc_snn.report.theory import theory_tables
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.theory_schema import FAIL
from rsc_snn.theory.run import run_theory


def try_and_show(
    out: Path,
    *,
    is_json: bool,
    runs: Sequence[Path],
    data_root: Path | None,
    num_samples: int,
    limit: int,
    seed: int,
) -> int:
    """Try every claim and print tables, or the rows as JSON; return 1 if a claim fails, else 0."""
    console = make_console()
    if not is_json:
        console.print(f"theory: {num_samples} samples for each covariance, seed {seed}", soft_wrap=True)
    rows = run_theory(out, runs=runs, data_root=data_root, num_samples=num_samples, limit=limit, seed=seed)
    if is_json:
        typer.echo(json.dumps(rows, indent=1))
    else:
        for table in theory_tables(rows):
            print_table(console, table)
        console.print(f"rows: {RunFolder(out).theory}", soft_wrap=True)
    return int(any(row["verdict"] == FAIL for row in rows))
