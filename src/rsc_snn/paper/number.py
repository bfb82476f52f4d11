"""A number of the paper: where it stands, and whether it can be read there."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a number is known."""

    LEGIBLE = "legible"
    DERIVED = "derived"
    LOST = "not legible in the source"


@dataclass(frozen=True, kw_only=True)
class Number:
    """A cell of a table, a point of a figure, or a number of the text.

    Args:
        place: "table1" ... "table7", "figure1" ... "figure3" or "text".
        dataset: As the paper writes it, always CIFAR-10, CIFAR-100, Tiny-ImageNet or ImageNet.
        network: VGG-5, VGG-11, VGG-16, ResNet-19 or SEW-ResNet-18.
        method: Row label: ANN, Direct, Poisson, RSC-0.01, RSC-0.1, RSC-0.1 + Adv, RSC-0.1 + E-RSCT, ...
        column: Clean, FGSM, PGD, F-QTE or P-QTE.
        value: In percent, or a QTE in units of 1/255 x fraction; None where it is lost.
        status: How it is known.
        note: How a derived number was computed, or what is doubtful; empty where nothing needs saying.
    """

    place: str
    dataset: str
    network: str
    method: str
    column: str
    value: float | None
    status: Status = Status.LEGIBLE
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What identifies the number."""
        return (self.place, self.dataset, self.network, self.method, self.column)
