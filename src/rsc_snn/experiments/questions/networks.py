"""What the questions are asked about."""

from rsc_snn.experiments.tables.context import CIFAR10

SUBJECT = (CIFAR10, "VGG-5")  # the paper's smallest: its Tables 3 to 6 and most of its text
