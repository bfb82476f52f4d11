"""``python -m rsc_snn.report.reproduction PAGE DIR...``: write the tables of reproductions into a page."""

import sys
from pathlib import Path

from rsc_snn.report.reproduction.document import with_rows
from rsc_snn.runs.files import replace_text


def main(arguments: list[str]) -> None:
    """Replace what stands below the mark of a page.

    Args:
        arguments: The page, then the folders in order.
    """
    page, *folders = map(Path, arguments)
    replace_text(page, with_rows(page.read_text(encoding="utf-8"), folders))


if __name__ == "__main__":
    main(sys.argv[1:])
