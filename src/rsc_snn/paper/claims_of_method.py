"""Claims of the abstract and Sections 1 to 3: what RSC is, why it works, that it masks no gradients."""

from rsc_snn.paper.claim import Claim
from rsc_snn.paper.evidence import NETWORKS, Cell, above, beside, lost, measured_by, pairs
from rsc_snn.paper.rows import ATTACKED

_SMALL, _LARGE = NETWORKS[:2], NETWORKS[2:4]
_LARGER = "on larger data, of which the claim does not speak"
_RESNET = NETWORKS[3:4]
_BLACK_BOX = (*NETWORKS[:3], NETWORKS[4])
_RSC_ROWS = [
    *(("table3", network, "RSC-0.1") for network in NETWORKS),
    *(("table4", network, "RSC-0.1") for network in _BLACK_BOX),
    *(("table5", network, "RSC-0.1 + Adv") for network in NETWORKS[:2]),
    *(("table6", network, "RSC-0.1 + E-RSCT") for network in _BLACK_BOX),
]

CLAIMS = (
    Claim(
        "surpasses-anns",
        "Abstract",
        "On ImageNet, RSC is more robust than an ANN.",
        above(pairs("table3", _RESNET, "RSC-0.1", ["ANN"], ATTACKED)),
    ),
    Claim(
        "state-of-the-art",
        "Abstract, Sections 1 and 5",
        "RSC is the most robust published spiking network on Tiny-ImageNet and ImageNet.",
        lost(
            "no table has a row of another work on these data sets; Table 7 is about CIFAR-10 and CIFAR-100"
        ),
    ),
    Claim(
        "poisson-above-ann",
        "Abstract, Section 1",
        "Networks with Poisson coding are more robust than ANNs (found by others, on small data sets).",
        beside(
            above(pairs("table3", _SMALL, "Poisson", ["ANN"], ATTACKED)),
            _LARGER,
            pairs("table3", _LARGE, "Poisson", ["ANN"], ATTACKED),
        ),
    ),
    Claim(
        "direct-below-ann",
        "Section 1",
        "Networks with direct coding are less robust than ANNs (found by others, on small data sets).",
        beside(
            above([(b, a) for a, b in pairs("table3", _SMALL, "Direct", ["ANN"], ATTACKED)]),
            _LARGER,
            [(b, a) for a, b in pairs("table3", _LARGE, "Direct", ["ANN"], ATTACKED)],
        ),
    ),
    Claim(
        "poisson-costs-clean",
        "Section 1",
        "Poisson coding lowers clean accuracy.",
        above(pairs("table3", NETWORKS, "Direct", ["Poisson"], ["Clean"])),
    ),
    Claim(
        "rsc1-more-robust-than-rsc2",
        "Section 3.2",
        "One noise for all steps (RSC-I) brings far more robustness than new noise at every step (RSC-II).",
        measured_by("compare", "no table has RSC-II; recipes NAME-rsc0.1 and NAME-rsc2-0.1 are the two"),
    ),
    Claim(
        "rsc1-less-accurate-than-rsc2",
        "Section 3.2",
        "RSC-I loses more clean accuracy than RSC-II.",
        measured_by("compare", "no table has RSC-II; recipes NAME-rsc0.1 and NAME-rsc2-0.1 are the two"),
    ),
    Claim(
        "expectation",
        "Section 3.3, Eq. 11",
        "The coded input has the image as its mean, for Poisson coding and for RSC.",
        measured_by(
            "theory",
            "true for Poisson coding and for noise without the clamp of Eq. 10",
            "with the clamp it is not: a pixel of 0 has mean sigma / sqrt(2 pi), 0.126 for variance 0.1",
        ),
    ),
    Claim(
        "theorem-3.2",
        "Section 3.3",
        "Under Poisson coding an attack changes the covariance of a linear layer's output, as Eq. 13 says.",
        measured_by("theory"),
    ),
    Claim(
        "theorem-3.3",
        "Section 3.3",
        "Under RSC an attack leaves the covariance of a linear layer's output as it is (Eq. 14).",
        measured_by("theory", "true without the clamp of Eq. 10 only"),
    ),
    Claim(
        "proposition-3.4",
        "Section 3.3",
        "The variance of RSC's noise does not depend on the image.",
        measured_by(
            "theory",
            "true without the clamp of Eq. 10 only",
            "with it a pixel of 0 keeps 1/2 - 1/(2 pi) of the variance, about 34 %",
        ),
    ),
    Claim(
        "observation-3.5",
        "Section 3.3",
        "Images coded by RSC and by Poisson coding have a notably high cosine similarity.",
        measured_by(
            "figure2", "pixels are not negative, so that different images have a high similarity as well"
        ),
    ),
    Claim(
        "no-masked-gradients",
        "Section 3.4, Table 1",
        "None of the five signs of masked gradients occurs.",
        measured_by("table1", "three of the five signs cannot be told from Tables 3 and 4"),
    ),
    Claim(
        "single-step-is-weaker",
        "Section 3.4, Table 1",
        "The iterative attack does better against RSC than the attack of a single step.",
        above(
            [
                (Cell(place, network, method, "FGSM"), Cell(place, network, method, "PGD"))
                for place, network, method in _RSC_ROWS
            ]
        ),
    ),
    Claim(
        "black-box-is-weaker",
        "Section 3.4, Table 1",
        "White-box attacks do better against RSC than black-box attacks.",
        above(
            [
                (Cell("table4", network, "RSC-0.1", column), Cell("table3", network, "RSC-0.1", column))
                for network in _BLACK_BOX
                for column in ATTACKED
            ]
        ),
    ),
    Claim(
        "eot-defence",
        "Section 3.4, Table 2",
        "RSC withstands attacks that average the gradient over draws of the noise.",
        measured_by("table2", "no number of Table 2 can be read, nor over how many draws it averages"),
    ),
)
