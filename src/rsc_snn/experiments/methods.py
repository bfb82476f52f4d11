"""METHOD of a recipe's name DATASET-NETWORK-METHOD: from a base recipe to a variant of it.

Every function here whose name does not start with an underscore is a method; ``_`` stands for nothing
in a name, and a method with parameters reads them from what follows its name, such as rsc0.1.
"""

from dataclasses import replace

from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.neurons import ReLU
from rsc_snn.training import Recipe


def ann(base: Recipe) -> Recipe:
    """The ANN twin: the same layers with ReLU, the clean image, T=1 (Table 3, row ANN)."""
    return replace(base, coding=Direct(), neuron=ReLU(), num_steps=1)


def direct(base: Recipe) -> Recipe:
    """Direct coding (Tables 3 and 4, row Direct)."""
    return replace(base, coding=Direct())


def poisson(base: Recipe) -> Recipe:
    """Poisson coding (Tables 3 and 4, row Poisson)."""
    return replace(base, coding=Poisson())


def rsc(base: Recipe, variance: float) -> Recipe:
    """RSC-I with the given variance in pixel units squared (Tables 3 to 6, rows RSC-0.01 and RSC-0.1)."""
    return replace(base, coding=RandomizedSmoothing(variance=variance))


def rsc2(base: Recipe, variance: float) -> Recipe:
    """RSC-II: noise drawn anew at each step (Section 3.2)."""
    coding = RandomizedSmoothing(variance=variance, resample_each_step=True)
    return replace(base, coding=coding)
