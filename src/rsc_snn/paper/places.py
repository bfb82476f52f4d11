"""What each table and figure of the paper shows, in our words."""

from dataclasses import dataclass

from rsc_snn.paper.number import Status
from rsc_snn.paper.numbers import of_place


@dataclass(frozen=True)
class Place:
    """A table, a figure, or the text.

    Attributes:
        name: "table1" ... "table7", "figure1" ... "figure3", "text".
        title: As a heading writes it: "Table 3".
        shows: What stands there.
    """

    name: str
    title: str
    shows: str

    def count(self, status: Status) -> int:
        """Return how many of its numbers have a status."""
        return sum(number.status is status for number in of_place(self.name))

    @property
    def state(self) -> str:
        """How many of its numbers are legible, derived and lost, in words."""
        shown = ((Status.LEGIBLE, "legible"), (Status.DERIVED, "derived"), (Status.LOST, "lost"))
        return ", ".join(f"{self.count(status)} {word}" for status, word in shown)


PLACES = (
    Place("table1", "Table 1", "five signs of masked gradients, checked for RSC"),
    Place("table2", "Table 2", "the attack EOT-PGD on RSC; its number of cells is not known"),
    Place("table3", "Table 3", "white-box FGSM and PGD on ANN, Direct, Poisson and RSC"),
    Place("table4", "Table 4", "black-box FGSM and PGD on Direct, Poisson and RSC"),
    Place("table5", "Table 5", "RSC with adversarial training"),
    Place("table6", "Table 6", "RSC with E-RSCT"),
    Place(
        "table7", "Table 7", "comparison with other works; rows that the text does not mention are not known"
    ),
    Place("figure1", "Figure 1", "what QTE is; an illustration without a measurement"),
    Place("figure2", "Figure 2", "coded images, and the cosine similarity of codings"),
    Place("figure3", "Figure 3", "clean and robust accuracy over the variance of RSC and eps"),
    Place("text", "Text", "settings, and differences that the text states"),
)
