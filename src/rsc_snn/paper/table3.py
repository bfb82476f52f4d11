"""Table 3: white-box attacks, FGSM and PGD of 8/255, seven steps of 0.01."""

from rsc_snn.paper.rows import Block, Derived, derived

_ROW = "the row cannot be read; that it exists follows from the caption and from the rows of other networks"
_CELL = "the row cannot be read"
_TABLE_4 = "the clean accuracy of Table 4"
_TABLES = "Tables 5 and 6, the same network under the same attacks"

_CIFAR10 = Block("table3", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("table3", "CIFAR-100", "VGG-11")
_TINY = Block("table3", "Tiny-ImageNet", "VGG-16")
_RESNET = Block("table3", "ImageNet", "ResNet-19")
_SEW = Block("table3", "ImageNet", "SEW-ResNet-18")

NUMBERS = (
    *_CIFAR10.lost("ANN", _ROW),
    *_CIFAR10.row("Direct", Derived(90.69, _TABLE_4), None, None, None, None, lost=_CELL),
    *_CIFAR10.row("Poisson", Derived(83.18, _TABLE_4), None, None, None, None, lost=_CELL),
    *_CIFAR10.lost("RSC-0.01", _ROW),
    *_CIFAR10.row("RSC-0.1", *derived(_TABLES, 80.29, 51.29, 37.28), *derived("Table 6", 5.26, 4.70)),
    *_CIFAR100.lost("ANN", _ROW),
    *_CIFAR100.row("Direct", Derived(72.45, _TABLE_4), None, None, None, None, lost=_CELL),
    *_CIFAR100.row("Poisson", Derived(58.49, _TABLE_4), None, None, None, None, lost=_CELL),
    *_CIFAR100.lost("RSC-0.01", _ROW),
    *_CIFAR100.row("RSC-0.1", *derived(_TABLES, 57.05, 32.48, 24.35), *derived("Table 6", 3.58, 3.26)),
    *_TINY.lost("ANN", _ROW),
    *_TINY.row("Direct", Derived(57.90, _TABLE_4), None, None, None, None, lost=_CELL),
    *_TINY.row("Poisson", 48.14, 6.79, 2.68, 2.20, 2.03),
    *_TINY.row("RSC-0.01", 48.33, 7.73, 2.15, 2.24, 2.02),
    *_TINY.row("RSC-0.1", 47.47, 22.63, 13.75, 2.80, 2.45),
    *_RESNET.row("ANN", 67.00, 0.66, 0.00, 2.71, 2.68),
    *_RESNET.row("Direct", 56.41, 2.57, 0.02, 2.36, 2.26),
    *_RESNET.row("Poisson", 40.21, 10.61, 2.68, 2.03, 1.72),
    *_RESNET.row("RSC-0.1", 44.25, 17.73, 8.50, 2.48, 2.11),
    *_SEW.row("Direct", 64.40, 4.56, 0.00, 2.76, 2.58),
    *_SEW.row("Poisson", 52.29, 15.73, 4.70, 2.72, 2.28),
    *_SEW.row("RSC-0.1", 53.79, 25.86, 7.38, 3.19, 2.45),
)
