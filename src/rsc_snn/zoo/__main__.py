"""``python -m rsc_snn.zoo reduce RUN OUT``, ``add RUN NAME --rows DIR`` and ``cards --rows DIR``."""

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
    add = verbs.add_parser("add", help="make an entry of a reduced run that was measured")
    add.add_argument("run", type=Path, help="what reduce wrote")
    add.add_argument("name", help="what rs.load shall call it")
    add.add_argument("--rows", type=Path, required=True, metavar="DIR", help="folder in results for its rows")
    add.add_argument("--data-root", type=Path, help="folder of data sets (default: RSC_SNN_DATA)")
    add.set_defaults(work=_add)
    cards = verbs.add_parser("cards", help="write the cards again, of every entry that has rows in DIR")
    cards.add_argument("--rows", type=Path, required=True, metavar="DIR", help="folder in results")
    cards.set_defaults(work=_cards)
    return parser


def _reduce(chosen: argparse.Namespace) -> None:
    from rsc_snn.runs.reduction import reduce_run

    reduce_run(chosen.run, chosen.out)
    print(f"reduced into {chosen.out}; next: attack, certify and audit it, then add it")


def _add(chosen: argparse.Namespace) -> None:
    from rsc_snn.zoo.add import add

    print(f"added {add(chosen.run, chosen.name, chosen.rows, data_root=chosen.data_root)}")


def _cards(chosen: argparse.Namespace) -> None:
    from rsc_snn.runs.zoo import entries
    from rsc_snn.zoo.add import refresh

    for name in entries():
        if (chosen.rows / name).is_dir():
            refresh(name, chosen.rows)
            print(f"wrote the card of {name}")


if __name__ == "__main__":
    sys.exit(main())
