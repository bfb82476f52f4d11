"""Whether another way of differentiating would have broken the network."""

from dataclasses import dataclass

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, not_applicable, percent, point
from rsc_snn.auditing.paired import paired
from rsc_snn.auditing.paths import single_paths


@dataclass(frozen=True, kw_only=True)
class OtherPaths(AbstractCheck):
    """Attacks by PGD along every gradient path that fits the network.

    None should find much that the white box by BPTT, which is PGD and APGD, did not.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "no other gradient path does better"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Accuracy by BPTT minus the lowest over the other paths, on the same images."""
        _, *others = single_paths(case.classifier, case.images)
        if not others:
            return not_applicable("BPTT is the only path that can be used")
        eps, steps = case.eps, case.budget.sweep_steps
        own = case.strongest
        by_path = {type(p).__name__: case.ascended(eps, steps, case.averaged(p)) for p in others}
        best = min(by_path, key=lambda name: by_path[name].mean())
        difference = paired(own.tolist(), by_path[best].tolist(), num_comparisons=len(others))
        named = {"BPTT": own, **by_path}
        return Finding(
            verdict=judged(difference),
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(own.mean())} under the white box by BPTT, and "
            f"{percent(by_path[best].mean())} under PGD by {best}, "
            f"the best of {len(others)} other paths.",
            curve={name: [point(i, found.tolist())] for i, (name, found) in enumerate(named.items())},
            axes=("gradient path", "accuracy"),
        )


EXAMPLES = (OtherPaths(),)
