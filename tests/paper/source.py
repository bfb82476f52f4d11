"""The rows of the paper's text as they were typed from it a second time, apart from the package."""

Row = tuple[str, str, str, tuple[float, ...]]

TABLE_3: tuple[Row, ...] = (
    ("Tiny-ImageNet", "VGG-16", "Poisson", (48.14, 6.79, 2.68, 2.20, 2.03)),
    ("Tiny-ImageNet", "VGG-16", "RSC-0.01", (48.33, 7.73, 2.15, 2.24, 2.02)),
    ("Tiny-ImageNet", "VGG-16", "RSC-0.1", (47.47, 22.63, 13.75, 2.80, 2.45)),
    ("ImageNet", "ResNet-19", "ANN", (67.00, 0.66, 0.00, 2.71, 2.68)),
    ("ImageNet", "ResNet-19", "Direct", (56.41, 2.57, 0.02, 2.36, 2.26)),
    ("ImageNet", "ResNet-19", "Poisson", (40.21, 10.61, 2.68, 2.03, 1.72)),
    ("ImageNet", "ResNet-19", "RSC-0.1", (44.25, 17.73, 8.50, 2.48, 2.11)),
    ("ImageNet", "SEW-ResNet-18", "Direct", (64.40, 4.56, 0.00, 2.76, 2.58)),
    ("ImageNet", "SEW-ResNet-18", "Poisson", (52.29, 15.73, 4.70, 2.72, 2.28)),
    ("ImageNet", "SEW-ResNet-18", "RSC-0.1", (53.79, 25.86, 7.38, 3.19, 2.45)),
)

# Nineteen cells of Table 4 run into one: FGSM of the third row, then Clean and FGSM of each further row. Two
# pairs stand there the other way round (35.06 before 47.47, 29.52 before 53.79): the clean accuracy is that
# of Tables 3 and 6.
TABLE_4: tuple[Row, ...] = (
    ("CIFAR-10", "VGG-5", "Direct", (90.69, 20.75, 3.52, 4.46, 3.77)),
    ("CIFAR-10", "VGG-5", "Poisson", (83.18, 43.06, 36.15, 5.05, 4.77)),
    ("CIFAR-10", "VGG-5", "RSC-0.1", (80.29, 59.25, 49.55, 5.58, 5.19)),
    ("CIFAR-100", "VGG-11", "Direct", (72.45, 11.79, 4.08, 3.37, 3.06)),
    ("CIFAR-100", "VGG-11", "Poisson", (58.49, 31.03, 27.36, 3.58, 3.43)),
    ("CIFAR-100", "VGG-11", "RSC-0.1", (57.05, 41.74, 35.56, 3.95, 3.70)),
    ("Tiny-ImageNet", "VGG-16", "Direct", (57.90, 14.82, 8.15, 2.91, 2.64)),
    ("Tiny-ImageNet", "VGG-16", "Poisson", (48.14, 21.22, 16.73, 2.77, 2.59)),
    ("Tiny-ImageNet", "VGG-16", "RSC-0.1", (47.47, 35.06, 29.40, 3.30, 3.07)),
    ("ImageNet", "SEW-ResNet-18", "Direct", (64.40, 15.75, 11.89, 3.21, 3.05)),
    ("ImageNet", "SEW-ResNet-18", "Poisson", (52.29, 16.87, 16.65, 2.77, 2.76)),
    ("ImageNet", "SEW-ResNet-18", "RSC-0.1", (53.79, 29.52, 27.91, 3.33, 3.27)),
)

TABLE_5: tuple[Row, ...] = (
    ("CIFAR-10", "VGG-5", "RSC-0.1", (80.29, 51.29, 37.28)),
    ("CIFAR-10", "VGG-5", "RSC-0.1 + Adv", (80.27, 55.58, 43.59)),
    ("CIFAR-100", "VGG-11", "RSC-0.1", (57.05, 32.48, 24.35)),
    ("CIFAR-100", "VGG-11", "RSC-0.1 + Adv", (56.25, 35.53, 27.57)),
)

TABLE_6: tuple[Row, ...] = (
    ("CIFAR-10", "VGG-5", "RSC-0.1", (80.29, 51.29, 37.28, 5.26, 4.70)),
    ("CIFAR-10", "VGG-5", "RSC-0.1 + E-RSCT", (82.03, 54.52, 39.98, 5.46, 4.88)),
    ("CIFAR-100", "VGG-11", "RSC-0.1", (57.05, 32.48, 24.35, 3.58, 3.26)),
    ("CIFAR-100", "VGG-11", "RSC-0.1 + E-RSCT", (58.04, 34.89, 26.67, 3.72, 3.39)),
    ("Tiny-ImageNet", "VGG-16", "RSC-0.1", (47.47, 22.63, 13.75, 2.80, 2.45)),
    ("Tiny-ImageNet", "VGG-16", "RSC-0.1 + E-RSCT", (48.29, 24.01, 15.46, 2.89, 2.55)),
    ("ImageNet", "SEW-ResNet-18", "RSC-0.1", (53.79, 25.86, 7.38, 3.19, 2.45)),
    ("ImageNet", "SEW-ResNet-18", "RSC-0.1 + E-RSCT", (54.77, 27.21, 8.84, 3.28, 2.54)),
)

# Section 4.5: gains over two rows of Table 7.
GAINS = {
    ("CIFAR-10", "Vanilla"): (48.33, 39.95),
    ("CIFAR-10", "SNN-RAT"): (9.29, 18.82),
    ("CIFAR-100", "Vanilla"): (29.59, 26.65),
    ("CIFAR-100", "SNN-RAT"): (9.03, 16.29),
}
OURS = {"CIFAR-10": (54.52, 39.98), "CIFAR-100": (34.89, 26.67)}
