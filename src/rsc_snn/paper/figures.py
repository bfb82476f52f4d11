"""Figures 1 to 3: what they show. No number of theirs can be read."""

from rsc_snn.paper.rows import UNNAMED, Block

STRENGTHS = (2, 4, 6, 8)
VARIANCES = (0.01, 0.1, 0.5)
PAIRS = ("RSC and Poisson", "RSC and Direct", "Poisson and Direct")

_FIGURE_1 = "an illustration: the area below accuracy over strength; it shows no measurement"
_FIGURE_2 = "a bar without a number; the text says 'notably high'"
_FIGURE_3 = "a curve without numbers; on which data set and network is not said"

_POINTS = ("Clean", *(f"{attack} {eps}/255" for attack in ("FGSM", "PGD") for eps in STRENGTHS))
_CURVES = Block("figure3", UNNAMED, UNNAMED)

NUMBERS = (
    *Block("figure1", UNNAMED, UNNAMED).lost("an SNN", _FIGURE_1, ("QTE",)),
    *(
        number
        for dataset in ("CIFAR-10", "CIFAR-100", "Tiny-ImageNet")
        for pair in PAIRS
        for number in Block("figure2", dataset, UNNAMED).lost(pair, _FIGURE_2, ("cosine similarity",))
    ),
    *(number for variance in VARIANCES for number in _CURVES.lost(f"RSC-{variance:g}", _FIGURE_3, _POINTS)),
)
