"""Numbers of the paper's text that stand in no table: settings, and differences it states."""

from rsc_snn.paper.figures import STRENGTHS, VARIANCES
from rsc_snn.paper.number import Number
from rsc_snn.paper.rows import UNNAMED, Block, Noted

_CIFAR10 = Block("text", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("text", "CIFAR-100", "VGG-11")
_ANY = Block("text", UNNAMED, UNNAMED)
_EPS = tuple(f"eps in 1/255, {number} of Section 4.4" for number in ("first", "second", "third", "fourth"))
_EPS_NOTE = "written without a unit; those of Section 2.2 are in 1/255"
_VARIANCE = ("sigma^2",)
_ADV = tuple(f"{column} {when}" for column in ("FGSM", "PGD") for when in ("without", "with"))
_GAIN = ("gain in Clean", "gain in FGSM", "gain in PGD")


def _over(block: Block, other: str, fgsm: float, pgd: float) -> tuple[Number, ...]:
    """Section 4.5: gains over a row of Table 7."""
    columns = (f"gain in FGSM over {other}", f"gain in PGD over {other}")
    return block.row("RSC-0.1 + E-RSCT", fgsm, pgd, columns=columns)


NUMBERS = (
    *_ANY.row("FGSM and PGD", 8.0, columns=("eps in 1/255",)),
    *_ANY.row("PGD", 0.01, 7.0, columns=("step size", "steps")),
    *_ANY.row("E-RSCT", 0.1, columns=("weight of the teacher",)),
    *_CIFAR10.row("RSC-0.1", 58.91, columns=("gain in PGD over Direct",)),
    *_CIFAR10.row("RSC + adversarial training", 51.29, 55.58, 37.28, 43.59, columns=_ADV),
    *_CIFAR100.row("RSC + adversarial training", 32.48, 35.53, 24.35, 27.57, columns=_ADV),
    *_CIFAR10.row("RSC-0.1 + E-RSCT", 1.74, 3.23, 2.70, columns=_GAIN),
    *_ANY.row("RSC-0.1 + E-RSCT", 1.0, columns=("average gain on other data sets, more than",)),
    *(number for value in VARIANCES for number in _ANY.row(f"RSC-{value:g}", value, columns=_VARIANCE)),
    *_ANY.row("FGSM and PGD", *(Noted(float(eps), _EPS_NOTE) for eps in STRENGTHS), columns=_EPS),
    *_CIFAR10.row("RSC", 0.1, columns=_VARIANCE),
    *_CIFAR100.row("RSC", 0.1, columns=_VARIANCE),
    *_over(_CIFAR10, "Vanilla", 48.33, 39.95),
    *_over(_CIFAR10, "SNN-RAT", 9.29, 18.82),
    *_over(_CIFAR100, "Vanilla", 29.59, 26.65),
    *_over(_CIFAR100, "SNN-RAT", 9.03, 16.29),
)
