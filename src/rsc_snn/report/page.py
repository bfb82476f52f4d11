"""Writing the report of a folder: one self-contained page, and the same in other formats."""

from collections.abc import Sequence
from pathlib import Path

from rsc_snn.report.contents import report_of, write_chapters
from rsc_snn.report.curves import write_picture
from rsc_snn.report.formats import format_named
from rsc_snn.report.reported import ReportedRun, find_runs, read_folder, read_run

__all__ = ["CURVES", "PAGE", "ReportedRun", "find_runs", "read_run", "write_report", "write_reports"]

CURVES = "accuracy-over-eps.png"
PAGE = "html"


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the page (default ``folder/report.html``) and the curves beside it; return its path.

    Raises:
        InputError: there is no run in ``folder``.
    """
    (path,) = write_reports(folder, out, (PAGE,))
    return path


def write_reports(folder: Path, out: Path | None = None, names: Sequence[str] = (PAGE,)) -> list[Path]:
    """Write a folder's report in some formats, and the curves beside it; return the paths.

    Args:
        folder: A run folder, or one that holds runs/NAME or a reproduction.
        out: Where to write; of several formats, each has its own ending in place of that of ``out``. None is
            "report" with the ending, in ``folder``.
        names: The formats, by name.

    Raises:
        UnknownNameError: there is no such format.
        InputError: there is no run in ``folder``.
    """
    chosen = [format_named(name) for name in dict.fromkeys(names)]
    read = read_folder(folder)
    report = report_of(read, write_chapters(read))
    base = (out or folder / "report").with_suffix("")
    paths = {
        each: out if out and len(chosen) == 1 else base.with_name(base.name + each.ending) for each in chosen
    }
    base.parent.mkdir(parents=True, exist_ok=True)
    if read.curves is not None:
        write_picture(base.parent / CURVES, read.curves)
    for each, path in paths.items():
        each.write(report, path)
    return list(paths.values())
