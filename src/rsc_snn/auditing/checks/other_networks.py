"""Sign 2, with other networks: a black box does better than a white box."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent, point
from rsc_snn.auditing.paired import paired


@dataclass(frozen=True, kw_only=True)
class OtherNetworks(AbstractCheck):
    """Compares the white-box attack with images that were made on other networks.

    Who knows the network should never do worse than who does not.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "the white box beats transfer"

    @property
    def sign(self) -> int | None:
        """The second."""
        return 2

    def measure(self, case: Case) -> Finding:
        """Accuracy under the white box minus the lowest under transfer, on the same images."""
        if not case.sources:
            return not_applicable("no other network was given to transfer from")
        white = case.strongest
        transferred = [case.transferred(source) for source in case.sources]
        best = min(transferred, key=lambda accuracies: accuracies.mean())
        difference = paired(white.tolist(), best.tolist(), num_comparisons=len(transferred))
        points = [point(number, found.tolist()) for number, found in enumerate(transferred, start=1)]
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(white.mean())} under the white box and {percent(best.mean())} under "
            f"the best of {len(transferred)} source(s); the value is how much better transfer does.",
            curve={"white box": [point(0, white.tolist())], "transfer": points},
            axes=("source (0: white box)", "accuracy"),
        )


EXAMPLES = (OtherNetworks(),)
