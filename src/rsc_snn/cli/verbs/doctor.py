"""rsc-snn doctor."""

from typing import Annotated

import typer

from rsc_snn.cli.options import DataRoot


def command(
    data_root: DataRoot = None,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Compile kernels too, and compare them; it takes seconds.")
    ] = False,
) -> None:
    """Show versions, devices, kernels and which data is there, with the fix for what is not."""
    import torch

    from rsc_snn import data
    from rsc_snn.errors import InputError
    from rsc_snn.runs.environment import describe_device, describe_environment

    environment = describe_environment(torch.device("cpu"))
    typer.echo(f"python        {environment['python']} on {environment['platform']}")
    for package, version in environment["packages"].items():
        typer.echo(f"{package:13} {version or 'not installed'}")
    for device in _devices():
        described = describe_device(device)
        typer.echo(f"{device!s:13} {described['name']}")
        for line in _kernels(device, is_compiling=kernels):
            typer.echo(line)
    root = data.data_root(data_root)
    for name in data.names():
        try:
            typer.echo(f"{name:13} {data.by_name(name).locate(root)}")
        except InputError as err:
            typer.echo(f"{name:13} missing: {err}")


def _kernels(device: "torch.device", *, is_compiling: bool) -> list[str]:  # type: ignore[name-defined]
    """Return a line for each way to compute neurons on a device: how it compares with plain autograd."""
    from rsc_snn.networks.backends import BACKENDS
    from rsc_snn.networks.compiling import can_compile
    from rsc_snn.neurons.parity import parity

    lines = []
    for name, kernels in BACKENDS.items():
        if kernels is None:
            continue
        shown = f"  {name:11} "
        if name == "compiled" and not (can_compile(device) and is_compiling):
            need = "a C++ compiler such as g++" if device.type == "cpu" else "Triton, on a GPU"
            found = "can be compiled; compare them with --kernels"
            lines.append(shown + (found if can_compile(device) else f"not available: needs {need}"))
            continue
        try:
            result = parity(kernels, device)
        except Exception as err:  # compilers fail in many ways
            reason = (str(err).strip().splitlines() or [type(err).__name__])[0]
            lines.append(f"{shown}fails: {reason}; use --compile off")
            continue
        verdict = "equals plain autograd" if result.is_met else "DIFFERS from plain autograd"
        lines.append(
            f"{shown}{verdict}: {result.num_different} of {result.num_spikes} spikes differ, gradients by "
            f"{result.gradient_error:.1g}"
        )
    return lines


def _devices() -> list["torch.device"]:  # type: ignore[name-defined]
    import torch

    found = [torch.device("cpu")]
    found += [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return found + ([torch.device("mps")] if torch.backends.mps.is_available() else [])
