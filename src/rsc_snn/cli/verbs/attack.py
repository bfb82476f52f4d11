"""rsc-snn attack."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import (
    AsJson,
    BatchSize,
    Budget,
    Compile,
    DataRoot,
    Device,
    Draws,
    KeepImages,
    Limit,
    Rows,
    Seed,
    Sources,
    Split,
    Strengths,
)


def command(
    run: Annotated[Path, typer.Argument(help="Run folder of 'rsc-snn train', or a name of the zoo.")],
    split: Split = "test",
    suite: Annotated[str | None, typer.Option(help="Fixed list of attacks (default: paper).")] = None,
    budget: Budget = None,
    attack: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Attacks instead of a suite; repeatable.")
    ] = None,
    gradient: Annotated[str, typer.Option(metavar="NAME", help="Gradient path of --attack.")] = "BPTT",
    gradient_draws: Annotated[
        int | None, typer.Option(metavar="K", help="Noise draws per gradient of --attack.")
    ] = None,
    source: Sources = None,
    norm: Annotated[str, typer.Option("--norm", help="linf or l2.")] = "linf",
    eps: Strengths = "8/255",
    steps: Annotated[int | None, typer.Option(metavar="N", help="Steps of iterative attacks.")] = None,
    draws: Draws = 20,
    limit: Limit = None,
    batch_size: BatchSize = None,
    rows: Rows = None,
    compiled: Compile = "auto",
    keep_images: KeepImages = False,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Attack a run's images and score them on fresh noise; rows go to attacks.jsonl or validation.jsonl."""
    from rsc_snn.cli.attacking import attack_run, opened_with_list
    from rsc_snn.cli.reading import Request
    from rsc_snn.memory import keep_freed_memory

    keep_freed_memory()
    request = Request(
        names=tuple(attack or ()),
        suite=suite,
        budget=budget,
        eps=eps,
        gradient=gradient,
        gradient_draws=gradient_draws,
        norm=norm,
        steps=steps,
        sources=tuple(source or ()),
    )
    with opened_with_list(run, request) as (place, attacks):
        attack_run(
            place,
            attacks,
            split=split,
            is_json=as_json,
            num_draws=draws,
            seed=seed or 0,
            limit=limit,
            batch_size=batch_size,
            rows_per_pass=rows,
            compiled=compiled,
            keeps_images=keep_images,
            device=device,
            data_root=data_root,
        )
