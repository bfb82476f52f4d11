"""rsc-snn train."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from rsc_snn.cli.options import DataRoot, Device, Seed


def command(
    recipe: Annotated[str, typer.Argument(help="DATASET-NETWORK-METHOD, module:function, or a run.yaml.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=V", help="Change a field of the recipe; repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="RUN", help="Run folder (default: runs/RECIPE).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of the run folder.")
    ] = False,
    data_root: DataRoot = None,
    device: Device = None,
    seed: Seed = None,
    compiled: Annotated[
        str, typer.Option("--compile", help="auto or off; this version has no compiled path.")
    ] = "auto",
) -> None:
    """Train a network into a run folder. 'rsc-snn list recipes' shows the names."""
    from rsc_snn.cli.memory import keep_freed_memory
    from rsc_snn.cli.options import read_device
    from rsc_snn.cli.printing import make_console
    from rsc_snn.data import data_root as find_root
    from rsc_snn.errors import InputError
    from rsc_snn.experiments.catalogue import resolve
    from rsc_snn.interruption import Interrupted
    from rsc_snn.runs.folder import RunFolder
    from rsc_snn.spec import with_setting
    from rsc_snn.training import train
    from rsc_snn.training.display import ConsoleDisplay

    if compiled not in ("auto", "off"):
        raise InputError(f"--compile takes auto or off in this version, got {compiled!r}")
    keep_freed_memory()
    chosen, recorded_seed = resolve(recipe)
    for setting in settings or []:
        path, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set expects FIELD=VALUE such as training.epochs=3, got {setting!r}")
        chosen = with_setting(chosen, path, value)
    chosen.data.locate(find_root(data_root))
    folder = Path("runs") / chosen.name if out is None else out
    if folder == Path():
        raise InputError("--out expects a folder for the run, got the current folder; name a new one")
    console = make_console()
    try:
        train(
            chosen,
            folder,
            seed=seed if seed is not None else recorded_seed or 0,
            resume=resume,
            data_root=data_root,
            device=read_device(device),
            display=ConsoleDisplay(console),
        )
    except Interrupted:
        if RunFolder(folder).checkpoint.exists():
            words = ["rsc-snn", "train", str(folder / "run.yaml"), "--out", str(folder), "--resume"]
            words += ["--data-root", str(data_root)] if data_root else []
            words += ["--device", device] if device else []
            console.print(f"saved; continue with: {shlex.join(words)}", soft_wrap=True)
        raise
    next_command = shlex.join(["rsc-snn", "attack", str(folder)])
    console.print(f"trained into {folder}; next: {next_command}", soft_wrap=True)
