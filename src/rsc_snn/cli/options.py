"""Options that several verbs share, and how their text is read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rsc_snn.errors import InputError

if TYPE_CHECKING:
    import torch

DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        help="Folder whose subfolders are named after the data sets (default: RSC_SNN_DATA, else download).",
    ),
]
Device = Annotated[
    str | None, typer.Option("--device", help="Any torch device, such as cpu or cuda:0 (default: the best).")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.")]
Strengths = Annotated[str, typer.Option("--eps", help="Strengths in pixel units, with commas: 2/255,8/255.")]
Draws = Annotated[int, typer.Option("--draws", metavar="K", help="Scoring draws per image.")]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Only the first N test images.")]
Compile = Annotated[
    str,
    typer.Option(
        "--compile", metavar="auto|on|off", help="Compile the neurons' loops first; auto: for long runs."
    ),
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", metavar="B", help="Images attacked together (default: 64).")
]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows",
        metavar="N",
        help="Images and draws of a gradient's pass; that of earlier rows, else as many as memory holds.",
    ),
]
Sources = Annotated[
    list[Path] | None,
    typer.Option("--source", metavar="RUN", help="Another network for transfer; repeatable."),
]
Budget = Annotated[
    str | None, typer.Option("--budget", help="full or quick (default: full); quick is not reliable.")
]
Split = Annotated[
    str,
    typer.Option("--split", metavar="test|validation", help="Test images, or those that training kept back."),
]
KeepImages = Annotated[
    bool,
    typer.Option("--keep-images", help="Write the winning images to candidates.safetensors."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")]


def read_device(name: str | None) -> "torch.device":
    """Return the device called ``name``, or CUDA if there is one, else the CPU.

    Processes that torchrun started together get a CUDA device each.

    Raises:
        InputError: torch knows no such device, or this machine has none.
    """
    import torch

    from rsc_snn.processes import is_started_together, local_rank_of_start

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if is_started_together():
        if name.startswith("cuda:"):
            raise InputError(f"processes get a device each, got {name!r} for all; give --device cuda")
        name = f"cuda:{local_rank_of_start()}" if name == "cuda" else name
    try:
        device = torch.device(name)
        float(torch.ones(1, device=device) + 1)
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as err:
        reason = str(err).splitlines()[0]
        raise InputError(
            f"device {name!r} cannot be used: {reason}; see 'rsc-snn doctor', and start "
            "no more processes than there are devices"
        ) from err
    return device
