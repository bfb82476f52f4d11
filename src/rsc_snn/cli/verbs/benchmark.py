"""rsc-snn benchmark."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import Device


def command(
    cases: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CASE]...",
            help="neuron, training, attacks, certification, loader, growth, coldstart, ceilings; none: all.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for rows, environment and page.")
    ] = Path("benchmark"),
    threads: Annotated[int, typer.Option("--threads", metavar="N", help="Threads of torch on a CPU.")] = 2,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", help="Measured repeats of each side.")] = 7,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes, to see that it works.")] = False,
    device: Device = None,
) -> None:
    """Measure speed and memory beside other libraries and a non-spiking network, on the same weights.

    Rows go to DIR/benchmark.jsonl, the tables to DIR/performance.md. Outputs are compared before anything is
    timed. Run it on a machine that does nothing else.
    """
    from rsc_snn.benchmarks.settings import Settings
    from rsc_snn.cli.benchmarking import benchmark_and_show
    from rsc_snn.cli.options import read_device

    settings = Settings(threads=threads, rounds=rounds, is_quick=quick, device=str(read_device(device)))
    benchmark_and_show(cases or [], out, settings)
