"""METHOD of a recipe's name DATASET-NETWORK-METHOD: from a base recipe to a variant of it.

Every function here whose name does not start with an underscore is a method; a method with a variance
reads it from what follows its name, such as rsc0.1, rsc2-0.1 or ersct0.01. Those in REGULARISERS and
ADVERSARIES are suffixes instead, one of each kind at most, in this order: ersct-cons-smoothadv.

The paper's noise levels can be read in two ways: as variances 0.01, 0.1 and 0.5, or as standard deviations
0.01, 0.1 and 0.5, which are the variances 1e-4, 0.01 and 0.25. Names carry the variance, so that rsc0.01 is
one run in both readings.
"""

from collections.abc import Callable
from dataclasses import replace

from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.neurons import ReLU
from rsc_snn.objectives import ERSCT, SNNRAT, Adversarial, Consistency, SmoothAdv
from rsc_snn.training import Recipe, TrainedTeacher


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


def ersct(base: Recipe, variance: float) -> Recipe:
    """RSC-I trained by E-RSCT (Tables 6 and 7); the teacher is the ANN twin, trained first on clean images.

    The paper says "a pre-trained ANN" without its architecture: that it is the twin is a guess.
    """
    teacher = replace(ann(base), name=f"{base.name}-ann")
    return replace(rsc(base, variance), objective=ERSCT(teacher=TrainedTeacher(recipe=teacher)))


def rat(base: Recipe) -> Recipe:
    """SNN-RAT on direct coding (Table 7): FGSM of 2/255 and near-orthogonal weights."""
    return replace(direct(base), objective=SNNRAT())


def adversarial(base: Recipe) -> Recipe:
    """The same network, trained on FGSM images of 2/255 (Table 5); the paper does not give its eps."""
    return replace(base, objective=Adversarial(objective=base.objective))


def smooth_adversarial(base: Recipe) -> Recipe:
    """The same network, trained for certificates on adversaries of its mean prediction over the noise."""
    return replace(base, objective=SmoothAdv(objective=base.objective))


def consistent(base: Recipe) -> Recipe:
    """The same network, trained for certificates to predict alike under two draws of the noise."""
    return replace(base, objective=Consistency(objective=base.objective))


REGULARISERS: dict[str, Callable[[Recipe], Recipe]] = {"-cons": consistent}
ADVERSARIES: dict[str, Callable[[Recipe], Recipe]] = {"-adv": adversarial, "-smoothadv": smooth_adversarial}
NEED_NOISE = ("-cons", "-smoothadv")
