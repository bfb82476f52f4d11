"""rsc-snn audit."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import DataRoot, Device, Seed


def command(
    run: Annotated[Path, typer.Argument(help="Run folder of 'rsc-snn train', or a name of the zoo.")],
    eps: Annotated[str, typer.Option("--eps", help="Strength, l_inf, pixel units.")] = "8/255",
    budget: Annotated[str, typer.Option("--budget", help="full or quick.")] = "full",
    source: Annotated[
        list[Path] | None,
        typer.Option("--source", metavar="RUN", help="Network to transfer from; repeatable."),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", metavar="K", help="Scoring draws per image.")] = 20,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Only the first N test images.")] = 100,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Ask whether a run's robustness is real: checks with pass, warn or fail go to audit.jsonl.

    The exit status is 0 when the audit is done, also where checks fail.
    """
    from rsc_snn.cli.auditing import audit_and_show
    from rsc_snn.memory import keep_freed_memory
    from rsc_snn.runs.zoo import find_run
    from rsc_snn.runs.zoo_copies import opened
    from rsc_snn.spec import parse_number

    keep_freed_memory()
    strength = parse_number(eps, where="--eps")
    sources = [find_run(path) for path in source or ()]
    with opened(run) as (place,):
        audit_and_show(
            place,
            is_json=as_json,
            eps=strength,
            budget=budget,
            sources=sources,
            num_draws=draws,
            limit=limit,
            seed=seed or 0,
            device=device,
            data_root=data_root,
        )
