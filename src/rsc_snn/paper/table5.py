"""Table 5: RSC with adversarial training; Direct and Poisson, which the text mentions, have no rows."""

from rsc_snn.paper.rows import Block, Noted

_POINT = "the source has a space for the decimal point"
_COLUMNS = ("Clean", "FGSM", "PGD")
_CIFAR10 = Block("table5", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("table5", "CIFAR-100", "VGG-11")

NUMBERS = (
    *_CIFAR10.row("RSC-0.1", 80.29, Noted(51.29, _POINT), Noted(37.28, _POINT), columns=_COLUMNS),
    *_CIFAR10.row("RSC-0.1 + Adv", Noted(80.27, _POINT), 55.58, 43.59, columns=_COLUMNS),
    *_CIFAR100.row("RSC-0.1", 57.05, 32.48, Noted(24.35, _POINT), columns=_COLUMNS),
    *_CIFAR100.row("RSC-0.1 + Adv", 56.25, 35.53, 27.57, columns=_COLUMNS),
)
