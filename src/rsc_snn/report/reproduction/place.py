"""What a report shows: tables, figures and questions, and what a reader must know of each. Needs no torch."""

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
        is_question: Whether it asks what the paper leaves open: arms that are set beside each other.
    """

    key: str
    title: str
    words: str
    is_of_paper: bool = True
    is_black_box: bool = False
    is_question: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether the paper prints numbers that measured ones are set beside."""
        return self.is_of_paper and self.key.startswith("table")

    @property
    def name(self) -> str:
        """The heading up to its colon: "Table 3"; of a question, what is asked."""
        head, _, rest = self.title.partition(":")
        return rest[1:2].upper() + rest[2:] if self.is_question else head


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
_ASKED = {
    "adversarial": (
        "Question: what adversarial training brings to each coding",
        "Direct, Poisson and RSC each trained plainly, on FGSM images of 2/255 as in Table 5, and on "
        "stronger images of 8/255 (one step of 10/255 from a random start). Each is set beside the plain "
        "training of its coding.",
    ),
    "parts": (
        "Question: what each part of E-RSCT brings",
        "E-RSCT joins a pre-synaptic loss and distillation. Here each alone, and other weights of the "
        "distillation than 0.1, beside RSC-0.1 with plain training.",
    ),
    "protocol": (
        "Question: how much each choice of the attack takes",
        "The paper's PGD at 8/255 and the same with one choice changed at a time: a random start, the clamp "
        "passed over, another gradient path, more steps, more draws per gradient. Each is set beside the "
        "paper's PGD on the same network and images.",
    ),
    "resampling": (
        "Question: noise drawn once or at every step",
        "RSC-I draws its noise once, RSC-II at every time step; the paper prefers RSC-I without a number. "
        "RSC-II is set beside RSC-I of the same variance.",
    ),
    "surrogates": (
        "Question: which surrogate",
        "The paper does not say which surrogate it uses. RSC-0.1 is trained and attacked with each, beside "
        "the triangle of width 1 that is used everywhere else.",
    ),
    "timesteps": (
        "Question: how many time steps",
        "The paper does not say its T. RSC-0.1 is trained and attacked with T from 1 to 16, beside T=1.",
    ),
    "tradeoff": (
        "Question: RSC, Poisson coding and plain noise at equal clean accuracy",
        "More noise costs clean accuracy and brings robustness, so that codings are compared only where "
        "their clean accuracy is the same. RSC over the variance makes a curve of clean accuracy and "
        "accuracy under PGD; Poisson coding and Gaussian noise on the ANN twin are set beside it.",
    ),
    "variance": (
        "Question: the noise level as a variance or a standard deviation",
        "The names RSC-0.01, RSC-0.1 and RSC-0.5 mean the variances 0.01, 0.1 and 0.5 or, read as standard "
        "deviations, 0.0001, 0.01 and 0.25. Each is set beside direct coding, which has no noise.",
    ),
}
QUESTIONS = tuple(
    Place(key, title, words, is_of_paper=False, is_question=True) for key, (title, words) in _ASKED.items()
)
PLACES = {place.key: place for place in (*_ALL, *QUESTIONS)}


def place_of(key: str) -> Place:
    """Return a place; one that is not known here is shown under its own name."""
    return PLACES.get(key) or Place(key, key.capitalize(), "", is_of_paper=False)
