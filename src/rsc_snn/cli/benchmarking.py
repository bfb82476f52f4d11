"""The work of ``rsc-snn benchmark``."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.benchmarks.running import PAGE, run_benchmarks
from rsc_snn.benchmarks.settings import Settings
from rsc_snn.cli.printing import make_console, print_table
from rsc_snn.report.performance import goals_table, performance_page
from rsc_snn.runs.files import replace_text


def benchmark_and_show(names: Sequence[str], out: Path, settings: Settings) -> None:
    """Measure, write the page and print what was aimed at beside what was measured."""
    console = make_console()
    results = run_benchmarks(names, out, settings, lambda line: console.print(line, soft_wrap=True))
    rows = results.rows
    page = out / PAGE
    replace_text(page, performance_page(rows, results.environments))
    table = goals_table(rows)
    if table is not None:
        print_table(console, table)
    console.print(f"All tables: {page}", soft_wrap=True)
