"""rsc-snn doctor."""

import typer

from rsc_snn.cli.options import DataRoot


def command(data_root: DataRoot = None) -> None:
    """Show versions, devices and which data is there, with the fix for what is not."""
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
    root = data.data_root(data_root)
    for name in data.names():
        try:
            typer.echo(f"{name:13} {data.by_name(name).locate(root)}")
        except InputError as err:
            typer.echo(f"{name:13} missing: {err}")


def _devices() -> list["torch.device"]:  # type: ignore[name-defined]
    import torch

    found = [torch.device("cpu")]
    found += [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return found + ([torch.device("mps")] if torch.backends.mps.is_available() else [])
