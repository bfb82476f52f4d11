"""Table 6: RSC without ("Baseline") and with E-RSCT, under the attacks of Table 3."""

from rsc_snn.paper.rows import Block

_CIFAR10 = Block("table6", "CIFAR-10", "VGG-5")
_CIFAR100 = Block("table6", "CIFAR-100", "VGG-11")
_TINY = Block("table6", "Tiny-ImageNet", "VGG-16")
_SEW = Block("table6", "ImageNet", "SEW-ResNet-18")

NUMBERS = (
    *_CIFAR10.row("RSC-0.1", 80.29, 51.29, 37.28, 5.26, 4.70),
    *_CIFAR10.row("RSC-0.1 + E-RSCT", 82.03, 54.52, 39.98, 5.46, 4.88),
    *_CIFAR100.row("RSC-0.1", 57.05, 32.48, 24.35, 3.58, 3.26),
    *_CIFAR100.row("RSC-0.1 + E-RSCT", 58.04, 34.89, 26.67, 3.72, 3.39),
    *_TINY.row("RSC-0.1", 47.47, 22.63, 13.75, 2.80, 2.45),
    *_TINY.row("RSC-0.1 + E-RSCT", 48.29, 24.01, 15.46, 2.89, 2.55),
    *_SEW.row("RSC-0.1", 53.79, 25.86, 7.38, 3.19, 2.45),
    *_SEW.row("RSC-0.1 + E-RSCT", 54.77, 27.21, 8.84, 3.28, 2.54),
)
