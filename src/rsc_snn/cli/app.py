"""The command ``rsc-snn``: one module per verb, and one place where errors become exit statuses."""

import importlib
import pkgutil
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn, TextIO

import typer

from rsc_snn import __version__
from rsc_snn.cli import verbs
from rsc_snn.errors import DivergedError, InputError, WeakEvaluation
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
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", WeakEvaluation)
            warnings.showwarning = _show_warning
            status = app(given, standalone_mode=False, prog_name="rsc-snn")
        return status if isinstance(status, int) else 0
    except InputError as err:
        return _complain(str(err), 2)
    except DivergedError as err:
        return _complain(str(err), 1)
    except Interrupted as err:
        return _complain(str(err), err.exit_status)
    except KeyboardInterrupt:
        return _complain("stopped by SIGINT", EXIT_STATUS[signal.SIGINT])
    except typer.Abort:
        return _complain("stopped by SIGINT", EXIT_STATUS[signal.SIGINT])
    except _USAGE_ERROR as err:
        message = getattr(err, "format_message", err.__str__)()
        return _complain(f"{message.rstrip('.')}; see 'rsc-snn --help'", 2) if given else 2
    except OSError as err:
        return _complain(f"{err.strerror or err}: {err.filename or 'a file'}; check path and permissions", 1)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _complain(message: str, status: int) -> int:
    print(f"rsc-snn: {' '.join(message.split())}", file=sys.stderr)
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"rsc-snn: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(signal.Signals(number))


def run() -> NoReturn:
    """Entry point of the console script."""
    raise SystemExit(main())
