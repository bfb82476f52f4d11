"""Sign 5: random sampling finds what the gradient does not."""

from dataclasses import dataclass

from torch import Tensor

from rsc_snn.attacks import Linf
from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import MARGIN, Finding, judged, percent, point
from rsc_snn.auditing.paired import paired
from rsc_snn.runs.audit_schema import FAIL, WARN

_HELDOUT_DRAWS = 5
_MARKS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, kw_only=True)
class RandomNoise(AbstractCheck):
    """Tries random points of the ball, keeps the worst of each image, and compares with the white box.

    Points are chosen on held-out draws and scored on others.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "gradients find more than random points"

    @property
    def sign(self) -> int | None:
        """The fifth."""
        return 5

    def measure(self, case: Case) -> Finding:
        """Accuracy under the white box minus accuracy under the worst random point, on the same images."""
        white, samples = case.strongest, case.budget.samples
        worst_by_samples = _worst_points(case, samples)
        sampled = {number: case.score(images) for number, images in worst_by_samples.items()}
        random = sampled[samples]
        difference = paired(white.tolist(), random.tolist())
        only_random = float((random + 0.5 < white).mean())
        verdict = judged(difference)
        if verdict != FAIL and only_random > MARGIN:
            verdict = WARN
        return Finding(
            verdict=verdict,
            value=difference.value,
            threshold=MARGIN,
            note=f"Accuracy is {percent(white.mean())} under the white box and {percent(random.mean())} "
            f"under the worst of {samples} random points, which alone break {percent(only_random)}.",
            curve={"worst random point": [point(n, found.tolist()) for n, found in sampled.items()]},
            axes=("random points", "accuracy"),
        )


def _worst_points(case: Case, num_samples: int) -> dict[int, Tensor]:
    """Return number of points -> the worst of them for each image."""
    noise, norm = case.noise("sample", slice(None)), Linf()
    num_draws = min(_HELDOUT_DRAWS, case.num_draws)
    kept, votes = case.images, case.votes(case.images, "heldout", num_draws)
    found: dict[int, Tensor] = {}
    for number in range(1, num_samples + 1):
        images = (case.images + norm.random(case.images, case.eps, generator=noise)).clamp(0, 1)
        kept, votes = case.worse(kept, votes, images, num_draws)
        if number in _MARKS or number == num_samples:
            found[number] = kept
    return found


EXAMPLES = (RandomNoise(),)
