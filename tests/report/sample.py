"""A small report with everything a report can hold."""

import io
from collections.abc import Sequence

from PIL import Image

from rsc_snn.report.chapters import Chapter, Report
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table

ODD = r"50 % of {a_b} & #1 $x$ ~ ^ \ <b> |pipe| *star* _under_ [link](x)"


def png(width: int = 60, height: int = 40) -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "#336699").save(file, "png")
    return file.getvalue()


COMPARED = Table(
    "Table 3: white-box attacks",
    ("data set", "method", "paper", "measured %", "difference", "verdict"),
    [
        ["CIFAR-10", "RSC-0.1", "83.4", "82.4 [74.8, 89.4]", "-1.0 [-8.6, 6.0]", "inconclusive"],
        ["CIFAR-10", "Direct", "90.0", "90.1 [89.2, 91.0]", "+0.1 [-0.8, 1.0]", "reproduced"],
        ["CIFAR-100", "RSC-0.1", "60.0", "50.0 [48.9, 51.1]", "-10.0 [-11.1, -8.9]", "not reproduced"],
        ["CIFAR-100", "Direct", "-", "-", "-", "no verdict: no row"],
    ],
    ["A difference is measured minus paper."],
)
CHECKS = Table(
    "Checks",
    ("check", "verdict", "what was measured"),
    [
        [
            "there is a gradient",
            "pass",
            "The smallest norm of a gradient over all images is well above zero.",
        ],
        ["many steps beat one", "warn", "One step does as well as many, which should not be."],
        ["without a bound nothing is left", "fail", ODD],
        ["no other surrogate does better", "not applicable", "-"],
    ],
)
COMMANDS = Table("Commands", ("run", "command"), [["a", "`rsc-snn train a --set 'x=a|b' --out DIR`"]])


def report(pictures: Sequence[Picture] | None = None) -> Report:
    """Return the report; ``pictures`` stand in its second section."""
    if pictures is None:
        pictures = [
            Picture(png(), "Two curves that fall.", "What to see."),
            Picture(png(), "Small.", width=96),
        ]
    return Report(
        "How robust?",
        "Read from the rows of `DIR`.",
        ["Budget smoke: no number here can be compared with the paper."],
        [("runs", "2"), ("audit checks", "1 pass, 1 warn, 1 fail")],
        [
            Chapter("Side by side", [Section(COMPARED.title, ["Words with `code`."], [COMPARED])]),
            Chapter(
                "Audits",
                [Section("Checks", [ODD], [CHECKS], pictures, ["A note."])],
                [Section("Long one", tables=[COMPARED]), Section("Long one", tables=[COMPARED])],
            ),
            Chapter("How it was made", [Section("How it was made", tables=[COMMANDS])]),
        ],
    )
