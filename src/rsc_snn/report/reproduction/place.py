"""The tables and figures of a report: their headings, and what a reader must know of each. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A table or figure of the paper, or what a report shows beyond it.

    Attributes:
        key: "table3", as the command takes it.
        title: The heading.
        words: What it is, and what was done where the paper leaves something open.
        is_of_paper: Whether the paper has it.
        is_black_box: Whether its attacks are made on another network than the one they are shown to.
    """

    key: str
    title: str
    words: str
    is_of_paper: bool = True
    is_black_box: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether the paper prints numbers that measured ones are set beside."""
        return self.is_of_paper and self.key.startswith("table")

    @property
    def name(self) -> str:
        """The heading up to its colon: "Table 3"."""
        return self.title.split(":")[0]


_ALL = (
    Place(
        "table1",
        "Table 1: signs of obfuscated gradients",
        "Five signs that an attack fails because gradients are useless rather than because the "
        "network is robust. The paper prints verdicts in words. Here each has a number, an interval "
        "and a limit; that nothing was found proves nothing.",
    ),
    Place(
        "table2",
        "Table 2: attacks that average gradients over draws of the noise",
        "The paper does not say over how many draws its EOT-PGD averages. Here: eps 8/255, step "
        "2/255, 10 steps, random start, over 1, 2, 5, 10, 20 and 50 draws.",
    ),
    Place(
        "table3",
        "Table 3: white-box attacks",
        "FGSM and PGD (7 steps of 0.01) of 8/255 in l_inf on the network itself, gradients through "
        "the training surrogate, one draw of the noise per gradient.",
    ),
    Place(
        "table4",
        "Table 4: black-box attacks",
        "Adversarial images are made on another network of the same architecture and shown to this one. The "
        "paper does not give the coding of that network; here it has the attacked network's own recipe, "
        "trained with the next seed.",
        is_black_box=True,
    ),
    Place(
        "table5",
        "Table 5: adversarial training",
        "RSC with and without training on FGSM images. The paper does not give their eps; here it is 2/255.",
    ),
    Place(
        "table6",
        "Table 6: training with E-RSCT",
        "RSC with and without a teacher. The paper does not say which network the teacher is; here it "
        "is the ANN twin of the same architecture.",
    ),
    Place(
        "table7",
        "Table 7: comparison with other works",
        "Rows of other works are the paper's values where they follow from its text. SNN-RAT and "
        "E-RSCT are trained and measured here. The paper does not say what Vanilla is; here it is a network "
        "with direct coding and plain training.",
    ),
    Place(
        "figure1",
        "Figure 1: the trade-off between accuracy and robustness",
        "QTE is the area below the accuracy over attack strength. The paper takes a single trapezoid "
        "from 0 to 8/255; several trapezoids see how the accuracy falls between.",
    ),
    Place(
        "figure2",
        "Figure 2: coded images look alike",
        "Cosine similarity of coded images, beside the control of a different image: images of "
        "positive numbers are similar to each other already.",
    ),
    Place(
        "figure3",
        "Figure 3: the noise level",
        "Clean accuracy (solid) and accuracy under attack (dotted) over the variance of the noise and "
        "over the attack strength.",
    ),
    Place(
        "eps",
        "Accuracy over attack strength",
        "At several strengths up to that of the paper, 8/255, under both protocols.",
        is_of_paper=False,
    ),
    Place(
        "certified",
        "Certified accuracy",
        "The share of images of which is proven that no change up to an l_2 radius turns the majority vote.",
        is_of_paper=False,
    ),
    Place(
        "inside",
        "Inside the network",
        "A few images with what is added to them, the spikes that they cause, and firing rates: see the "
        "sections of the runs.",
        is_of_paper=False,
    ),
    Place(
        "steps",
        "Accuracy over attack steps",
        "An attack of few steps may stop too early: where the accuracy still falls, it has.",
        is_of_paper=False,
    ),
)
PLACES = {place.key: place for place in _ALL}


def place_of(key: str) -> Place:
    """Return a place; one that is not known here is shown under its own name."""
    return PLACES.get(key) or Place(key, key.capitalize(), "", is_of_paper=False)
