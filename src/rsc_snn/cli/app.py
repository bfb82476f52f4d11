"""The command ``rsc-snn``: one module per verb, and one place where errors become exit statuses."""

import hashlib
import importlib
import os
import pkgutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import typer

from rsc_snn import __version__
from rsc_snn.cli import verbs
from rsc_snn.errors import (
    BenchmarkError,
    DamagedCheckpoint,
    DivergedError,
    InputError,
    OutOfMemoryError,
    UnreadableImage,
    WeakEvaluation,
)
from rsc_snn.interruption import EXIT_STATUS, Interrupted

# ClickException, wherever this typer keeps its click
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="rsc-snn",
    help="Randomized smoothing coding, and how robust spiking networks really are.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"rsc-snn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


for _info in pkgutil.iter_modules(verbs.__path__):
    _verb = importlib.import_module(f"{verbs.__name__}.{_info.name}")
    app.command(name=_info.name.removesuffix("_"))(_verb.command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1, 2, 130 or 143 (docs/command.md)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    Interrupted.is_under_way = False
    previous = {number: signal.signal(number, _stop) for number in EXIT_STATUS}
    try:
        with warnings.catch_warnings():
            for category in (WeakEvaluation, DamagedCheckpoint, UnreadableImage):
                warnings.simplefilter("always", category)
            warnings.showwarning = _show_warning
            status = app(given, standalone_mode=False, prog_name="rsc-snn")
        return status if isinstance(status, int) else 0
    except InputError as err:
        return _complain(str(err), 2)
    except DivergedError as err:
        return _complain(str(err), 1)
    except (OutOfMemoryError, BenchmarkError) as err:
        return _complain(str(err), 1)
    except Interrupted as err:
        return _complain(str(err), err.exit_status)
    except _USAGE_ERROR as err:
        message = getattr(err, "format_message", err.__str__)()
        return _complain(f"{message.rstrip('.')}; see 'rsc-snn --help'", 2) if given else 2
    except OSError as err:
        place = f"{err.strerror or err}: {str(err.filename)!r}" if err.filename else str(err)
        return _complain(f"{place}; check the path and its permissions", 2 if _is_path_error(err) else 1)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _is_path_error(err: OSError) -> bool:
    kinds = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    return isinstance(err, kinds)


def _complain(message: str, status: int) -> int:
    """Print one line and return ``status``."""
    line = f"rsc-snn: {' '.join(message.split())}"
    if _is_first_to_say(line):
        print(line, file=sys.stderr)
    return status


def _is_first_to_say(line: str) -> bool:
    """Whether no other process that torchrun started on this machine has said the same."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return True
    run = f"{os.environ['TORCHELASTIC_RUN_ID']}:{os.environ.get('MASTER_PORT')}:{os.getppid()}:{line}"
    name = f"rsc-snn-said-{hashlib.sha256(run.encode()).hexdigest()[:24]}"
    try:
        os.close(os.open(Path(tempfile.gettempdir()) / name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    except OSError:
        pass  # better twice than not at all
    return True


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"rsc-snn: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _stop(number: int, frame: FrameType | None) -> None:
    if not Interrupted.is_under_way:  # torchrun repeats the signal of the terminal
        raise Interrupted(signal.Signals(number))


def run() -> NoReturn:
    """Entry point of the console script."""
    raise SystemExit(main())
