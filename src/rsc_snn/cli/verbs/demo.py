"""rsc-snn demo."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for runs, curves and the page.")
    ] = Path("demo"),
) -> None:
    """Train five small networks on handwritten digits, attack them, and compare; CPU, under 90 s."""
    import time

    from rsc_snn.cli.printing import make_console, print_table, program
    from rsc_snn.experiments.demo import run_demo
    from rsc_snn.memory import keep_freed_memory
    from rsc_snn.report.page import CURVES, read_run, write_report
    from rsc_snn.report.tables import paper_table
    from rsc_snn.runs.folder import RunFolder
    from rsc_snn.training.display import ConsoleDisplay

    keep_freed_memory()
    started = time.monotonic()
    console = make_console()
    console.print("Five small networks learn to read 8x8 digits, then FGSM and PGD attack them.")

    def on_attack(name: str, done: int, total: int) -> None:
        console.print(f"{name}  attacked {done}/{total} images, at 3 strengths")

    folders = run_demo(out, display=ConsoleDisplay(console), on_attack=on_attack)
    rows = {run.name: run.rows for run in (read_run(RunFolder(folder)) for folder in folders)}
    page = write_report(out)
    table = paper_table(rows)
    assert table is not None, "the demo has just made these rows"
    console.print()
    print_table(console, table)
    console.print(
        f"\nIn {time.monotonic() - started:.0f} s. Tables and curves: {page}  ({page.with_name(CURVES)})\n"
        "These networks learned for 4 epochs: the demo shows how it works, not how robust codings are.\n"
        "Next:\n"
        f"  {program()} train digits-vgg5-rsc0.1                    the same, trained longer\n"
        f"  {program()} attack {folders[-2]} --eps 8/255 --limit 300\n"
        f"  {program()} train cifar10-vgg5-rsc0.1 --data-root DIR   the paper's network on CIFAR-10\n"
        f"  {program()} reproduce all --budget smoke                 every table of the paper, in small\n"
        f"  {program()} list                                        everything that has a name",
        soft_wrap=True,
    )
