"""What is proven about an image, and with what right."""

import sys
from dataclasses import asdict, dataclass

from rsc_snn.certification.bounds import highest_bound, least_trials, require_alpha
from rsc_snn.certification.sequence import least_trials_in_sequence, lower_bound_so_far
from rsc_snn.errors import InputError, RangeError
from rsc_snn.guarantees import AbstractGuarantee
from rsc_snn.runs.files import Row


@dataclass(frozen=True, kw_only=True)
class Demand:
    """How many draws may be taken, and how often a certificate may be wrong.

    Attributes:
        num_select: Draws by which the class is chosen, >= 1.
        num_estimate: Other draws by which its probability is bounded; the most, where a target is given.
        alpha: Probability that the certificate of an image is wrong, at most, in (0, 1/2).
        seed: Of the noise.
        target: Radius at which sampling stops, as soon as it is proven or hopeless; None takes all draws.

    Raises:
        RangeError: a number is out of its range.
    """

    num_select: int = 100
    num_estimate: int = 100_000
    alpha: float = 0.001
    seed: int = 0
    target: float | None = None

    def __post_init__(self) -> None:
        for name in ("num_select", "num_estimate"):
            if getattr(self, name) < 1:
                raise RangeError(f"{name} must be at least 1, got {getattr(self, name)}")
        require_alpha(self.alpha)
        if self.target is not None and not 0 < self.target < float("inf"):
            raise RangeError(f"radius must be finite and above 0 in pixel units, got {self.target}")

    def largest(self, guarantee: AbstractGuarantee) -> float:
        """Return the radius that is proven if all draws agree; 0 if not even they prove one."""
        if self.target is None:
            return guarantee.radius(highest_bound(self.num_estimate, self.alpha))
        every = self.num_estimate
        return guarantee.radius(float(lower_bound_so_far(every, every, self.alpha)))

    def require_possible(self, guarantee: AbstractGuarantee) -> None:
        """Raise InputError unless draws that all agree would prove something: the target, if there is one."""
        what = "anything" if self.target is None else f"the radius {self.target:g}"
        needed = guarantee.chance_for(self.target or sys.float_info.min)
        if needed >= 1:
            raise InputError(
                f"no number of draws can prove {what} with {guarantee}; {self.num_estimate} draws prove at "
                f"most {self.largest(guarantee):.4g}"
            )
        least = (least_trials if self.target is None else least_trials_in_sequence)(needed, self.alpha)
        if self.num_estimate < least:
            raise InputError(
                f"{self.num_estimate} draws that all agree cannot prove {what} at alpha {self.alpha:g}; take "
                f"at least {least}"
            )


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What is proven about the majority vote on one image, with probability 1 - alpha over the draws.

    Attributes:
        index: Of the image in its data set.
        label: Its class.
        predicted: The class that surely has the majority; None where none has (abstained).
        radius: No change of a smaller norm takes the majority from it, in pixel units; 0.0 if abstained.
        norm: "l2" or "l1".
        counts: Answers of the estimation draws by class, [K].
        num_draws: Their number.
    """

    index: int
    label: int
    predicted: int | None
    radius: float
    norm: str
    counts: list[int]
    num_draws: int

    def row(self, demand: Demand, guarantee: AbstractGuarantee, num_values: int) -> Row:
        """The certificate of an image of ``num_values`` pixel values as a row of certificates.jsonl."""
        return {**asdict(self), **asdict(demand), "scale": guarantee.scale, "num_values": num_values}
