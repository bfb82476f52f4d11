"""``python -m rsc_snn.zoo reduce RUN OUT`` and ``python -m rsc_snn.zoo add RUN NAME --rows DIR``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rsc_snn.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status, 2 for bad input."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.work(chosen)
    except InputError as err:
        print(f"rsc_snn.zoo: {' '.join(str(err).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rsc_snn.zoo", description="Makes an entry of the zoo.")
    verbs = parser.add_subparsers(required=True)
    reduce = verbs.add_parser("reduce", help="write a run with its matrices in half precision")
    reduce.add_argument("run", type=Path, help="a finished run")
    reduce.add_argument("out", type=Path, help="folder of the reduced run, to attack, certify and audit")
    reduce.set_defaults(work=_reduce)
    return parser


def _reduce(chosen: argparse.Namespace) -> None:
    from rsc_snn.runs.reduction import reduce_run

    reduce_run(chosen.run, chosen.out)
    print(f"reduced into {chosen.out}; next: attack, certify and audit it, then add it")


if __name__ == "__main__":
    sys.exit(main())
