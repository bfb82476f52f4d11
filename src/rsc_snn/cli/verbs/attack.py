"""rsc-snn attack."""

from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import DataRoot, Device, Seed


def command(
    run: Annotated[Path, typer.Argument(help="Run folder of 'rsc-snn train'.")],
    suite: Annotated[
        str | None, typer.Option("--suite", help="Fixed list of attacks (default: paper).")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", help="full or quick, of suite reliable (default: full)."),
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option("--attack", metavar="NAME", help="Attacks instead of a suite; repeatable."),
    ] = None,
    gradient: Annotated[
        str, typer.Option("--gradient", metavar="NAME", help="Gradient path of --attack.")
    ] = "BPTT",
    gradient_draws: Annotated[
        int | None,
        typer.Option("--gradient-draws", metavar="K", help="Noise draws per gradient of --attack."),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option("--source", metavar="RUN", help="Another network for transfer; repeatable."),
    ] = None,
    norm: Annotated[str, typer.Option("--norm", help="linf or l2.")] = "linf",
    eps: Annotated[
        str, typer.Option("--eps", help="Strengths in pixel units, with commas: 2/255,8/255.")
    ] = "8/255",
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="Steps of iterative attacks.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", metavar="K", help="Scoring draws per image.")] = 20,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Only the first N test images.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", metavar="B", help="Images attacked together (default: 64).")
    ] = None,
    keep_images: Annotated[
        bool, typer.Option("--keep-images", help="Write the winning images to candidates.safetensors.")
    ] = False,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """Attack a run's test images and score them on fresh noise; rows go to attacks.jsonl."""
    from rsc_snn.cli.attacking import attack_run
    from rsc_snn.cli.memory import keep_freed_memory
    from rsc_snn.cli.reading import Request, read_list

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
    attack_run(
        run,
        read_list(request),
        is_json=as_json,
        num_draws=draws,
        seed=seed or 0,
        limit=limit,
        batch_size=batch_size,
        keeps_images=keep_images,
        device=device,
        data_root=data_root,
    )
