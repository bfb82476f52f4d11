"""Pixels that the coding clamps, so that the attack does not see them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, not_applicable, percent, point
from rsc_snn.runs.audit_schema import FAIL, PASS, WARN

_LIMIT_EVERY_DRAW = 0.5
_LIMIT_ONE_DRAW = 0.25


@dataclass(frozen=True, kw_only=True)
class ClampedPixels(AbstractCheck):
    """Differentiates the coding alone: a pixel whose current does not depend on it at any step is clamped.

    Noise clamps a black pixel in every other draw; a mean over draws sees it all the same. A pixel that is
    clamped in every draw of a gradient is lost to the attack.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "the coding lets gradients through"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Share of pixels that are clamped in every draw of a gradient; and in a single draw."""
        if case.classifier.coding is None:
            return not_applicable("the network has no coding of this library")
        num_draws = case.budget.gradient_draws if case.is_random else 1
        batches = [_clamped(case, rows, num_draws) for rows in case.batches()]
        by_draws = {k: torch.cat([batch[k] for batch in batches]).tolist() for k in batches[0]}
        one, every = (sum(by_draws[k]) / len(by_draws[k]) for k in (1, num_draws))
        verdict = FAIL if every > _LIMIT_EVERY_DRAW else WARN if one > _LIMIT_ONE_DRAW else PASS
        return Finding(
            verdict=verdict,
            value=every,
            threshold=_LIMIT_EVERY_DRAW,
            note=f"{percent(one)} of the pixels are clamped in a single draw (more than "
            f"{percent(_LIMIT_ONE_DRAW)} warns), {percent(every)} in all of {num_draws}.",
            curve={"clamped in every draw": [point(k, found) for k, found in by_draws.items()]},
            axes=("draws per gradient", "share of pixels"),
        )


def _clamped(case: Case, rows: slice, num_draws: int) -> dict[int, Tensor]:
    """Return number of draws -> share of each image's pixels that are clamped in all of them."""
    coding, noise = case.classifier.coding, case.noise("attack", rows)
    assert coding is not None
    images, found = case.images[rows], dict[int, Tensor]()
    is_clamped = torch.ones_like(images, dtype=torch.bool)
    for draw in range(1, num_draws + 1):
        leaf = images.detach().requires_grad_()
        with torch.enable_grad():
            current = coding.encode(leaf, case.classifier.num_steps, generator=noise).sum()
        if current.requires_grad:
            (gradient,) = torch.autograd.grad(current, leaf, allow_unused=True)
            is_clamped &= torch.ones_like(is_clamped) if gradient is None else gradient == 0
        found[draw] = is_clamped.double().flatten(1).mean(1).cpu()
    return found


EXAMPLES = (ClampedPixels(),)
