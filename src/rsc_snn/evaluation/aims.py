"""What a search looks for, and the order that this puts candidates in. Needs no torch."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from rsc_snn.errors import RangeError
from rsc_snn.evaluation.intervals import Estimate
from rsc_snn.evaluation.summary import single_draw
from rsc_snn.runs.files import Row
from rsc_snn.spec import Spec


@dataclass(frozen=True)
class Score:
    """What a candidate came to on the validation images of a stage.

    Attributes:
        label: Of the candidate.
        stage: 1 for the first; a candidate that goes on is measured again in the next.
        clean: Accuracy of a single draw; None if its training or evaluation failed.
        robust: The same under the worst of the attacks; None likewise.
        qte: The paper's trade-off, Eq. 6; None likewise.
    """

    label: str
    stage: int
    clean: Estimate | None
    robust: Estimate | None
    qte: Estimate | None

    @classmethod
    def of(cls, row: Row) -> "Score":
        """Read a row of search.jsonl."""
        found = [None if row[name] is None else Estimate(*row[name]) for name in ("clean", "robust", "qte")]
        return cls(row["candidate"], row["stage"], *found)


@dataclass(frozen=True, kw_only=True)
class AbstractAim(Spec):
    """A number to make large."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The aim in a line."""
        raise NotImplementedError

    @abstractmethod
    def value(self, score: Score) -> Estimate | None:
        """Return the number; None for a candidate that failed."""
        raise NotImplementedError

    @property
    @abstractmethod
    def unit(self) -> str:
        """What differences are told in."""
        raise NotImplementedError

    @abstractmethod
    def in_units(self, share: float, eps: float) -> float:
        """Return a share in [-1, 1], or a difference of two, in that unit, at strength eps in [0, 1]."""
        raise NotImplementedError

    @abstractmethod
    def share(self, row: Row) -> float:
        """Return what an image brings, in [0, 1], from its row of the worst case; the mean is the number."""
        raise NotImplementedError

    def admits(self, score: Score) -> bool:
        """Whether a candidate may win at all."""
        return self.value(score) is not None


@dataclass(frozen=True, kw_only=True)
class Robust(AbstractAim):
    """Robust accuracy of a single draw, among candidates that are accurate enough on clean images.

    Args:
        clean_at_least: Measured clean accuracy that a winner must have, in [0, 1].
    """

    clean_at_least: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.clean_at_least <= 1:
            raise RangeError(f"clean_at_least must lie in [0, 1], got {self.clean_at_least}")

    @property
    def words(self) -> str:
        """With the condition, if there is one."""
        condition = f" with clean accuracy >= {100 * self.clean_at_least:g} %" if self.clean_at_least else ""
        return f"robust accuracy{condition}"

    @property
    def unit(self) -> str:
        """Percentage points."""
        return "points"

    def value(self, score: Score) -> Estimate | None:
        """Robust accuracy."""
        return score.robust

    def in_units(self, share: float, eps: float) -> float:
        """Percent."""
        return 100 * share

    def share(self, row: Row) -> float:
        """Share of the draws on the attacked image that are right."""
        return single_draw(row["adversarial_counts"], row["label"])

    def admits(self, score: Score) -> bool:
        """Whether it is accurate enough, as measured."""
        return score.clean is not None and score.clean.value >= self.clean_at_least


@dataclass(frozen=True, kw_only=True)
class TradeOff(AbstractAim):
    """The paper's QTE between strength 0 and that of the attacks (Eq. 6)."""

    @property
    def words(self) -> str:
        """Its name."""
        return "QTE"

    @property
    def unit(self) -> str:
        """As of the number."""
        return "QTE"

    def value(self, score: Score) -> Estimate | None:
        """QTE."""
        return score.qte

    def in_units(self, share: float, eps: float) -> float:
        """The area under accuracies between 0 and eps in 1/255, whose largest value is eps itself."""
        return 255 * eps * share

    def share(self, row: Row) -> float:
        """Half of the share of right draws on the clean image and half of that on the attacked one."""
        found = [single_draw(row[counts], row["label"]) for counts in ("clean_counts", "adversarial_counts")]
        return sum(found) / 2


def ranked(aim: AbstractAim, scores: Sequence[Score]) -> list[Score]:
    """Return candidates from best to worst; those that are equal keep their order.

    Who came further stands before who was left behind. At the same stage those that the aim admits come
    first, by its value; then those that it does not, by clean accuracy; then those that failed.
    """
    return sorted(scores, key=lambda score: _place(aim, score))


def _place(aim: AbstractAim, score: Score) -> tuple[int, bool, bool, float]:
    is_admitted = aim.admits(score)
    found = aim.value(score) if is_admitted else score.clean
    return (-score.stage, found is None, not is_admitted, -found.value if found is not None else 0.0)
