"""rsc-snn attack."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rsc_snn.cli.options import DataRoot, Device, Seed

if TYPE_CHECKING:
    from rsc_snn.runs.files import Row


def command(
    run: Annotated[Path, typer.Argument(help="Run folder of 'rsc-snn train'.")],
    suite: Annotated[
        str | None, typer.Option("--suite", help="Fixed list of attacks (default: paper).")
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option("--attack", metavar="NAME", help="Attacks instead of a suite; repeatable."),
    ] = None,
    gradient: Annotated[
        str, typer.Option("--gradient", metavar="NAME", help="Gradient path of --attack.")
    ] = "BPTT",
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
    batch_size: Annotated[int, typer.Option("--batch-size", help="Images attacked together.")] = 64,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """Attack a run's test images and score them on fresh noise; rows go to attacks.jsonl."""
    from rsc_snn.cli.memory import keep_freed_memory
    from rsc_snn.cli.options import read_device
    from rsc_snn.cli.printing import make_console, print_table
    from rsc_snn.cli.progress import image_progress
    from rsc_snn.cli.reading import read_attacks, read_strengths, read_suites
    from rsc_snn.evaluation.run import evaluate_run
    from rsc_snn.report.tables import attack_table
    from rsc_snn.runs.folder import RunFolder

    keep_freed_memory()
    strengths = read_strengths(eps)
    if attack:
        attacks = read_attacks(attack, strengths, suite=suite, gradient=gradient, norm=norm, steps=steps)
    else:
        attacks = read_suites(suite or "paper", strengths, gradient=gradient, norm=norm, steps=steps)
    RunFolder(run).read_spec()
    console = make_console()
    with image_progress(console, run.name, is_shown=not as_json) as on_batch:
        rows = evaluate_run(
            run,
            attacks,
            num_draws=draws,
            seed=seed or 0,
            limit=limit,
            batch_size=batch_size,
            device=read_device(device),
            data_root=data_root,
            on_batch=on_batch,
        )
    if as_json:
        typer.echo(json.dumps(_summaries(rows), indent=1))
        return
    print_table(console, attack_table(str(run), rows))
    console.print(f"rows: {RunFolder(run).attacks}; next: rsc-snn report {run}", soft_wrap=True)


def _summaries(rows: "list[Row]") -> list[dict[str, object]]:
    from rsc_snn.evaluation.summary import group, paper_qte, summarise

    return [
        {
            **{name: found[0][name] for name in ("suite", "seed", "norm", "eps", "entry", "num_draws")},
            **vars(summarise(found)),
            "qte": paper_qte(found),
        }
        for found in group(rows).values()
    ]
