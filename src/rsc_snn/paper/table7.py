"""Table 7: comparison with other works. Only its caption can be read; Section 4.5 has differences."""

from rsc_snn.paper.rows import UNNAMED, Block, derived

_LOST = "the row cannot be read"
_FROM = "the text's difference taken from the row RSC-0.1 + E-RSCT; "
_VANILLA = _FROM + "whether this is the Direct of Table 3 is not said"
_BEST = _FROM + "the network is not said"
_UNNAMED = _FROM + "the network is not said, nor, for CIFAR-100, whose work it is"
_OURS = (
    "Table 6, taken for this row because Section 4.5 speaks of E-RSCT and because, taken from RSC-0.1 "
    "without it, the PGD accuracies of Vanilla would be negative: -2.67 and -2.30"
)

_CIFAR10 = Block("table7", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("table7", "CIFAR-100", "VGG-11")
_OTHERS_10 = Block("table7", "CIFAR-10", UNNAMED)
_OTHERS_100 = Block("table7", "CIFAR-100", UNNAMED)

NUMBERS = (
    *_OTHERS_10.row("Vanilla", None, *derived(_VANILLA, 6.19, 0.03), None, None, lost=_LOST),
    *_OTHERS_10.row("SNN-RAT", None, *derived(_BEST, 45.23, 21.16), None, None, lost=_LOST),
    *_CIFAR10.row("RSC-0.1 + E-RSCT", *derived(_OURS, 82.03, 54.52, 39.98, 5.46, 4.88)),
    *_OTHERS_100.row("Vanilla", None, *derived(_VANILLA, 5.30, 0.02), None, None, lost=_LOST),
    *_OTHERS_100.row("SNN-RAT", None, *derived(_UNNAMED, 25.86, 10.38), None, None, lost=_LOST),
    *_CIFAR100.row("RSC-0.1 + E-RSCT", *derived(_OURS, 58.04, 34.89, 26.67, 3.72, 3.39)),
)
