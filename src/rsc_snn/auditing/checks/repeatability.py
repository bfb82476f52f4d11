"""Whether a call depends on its noise, and on nothing but its noise and its image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rsc_snn.auditing.case import Case
from rsc_snn.auditing.checks.base import AbstractCheck
from rsc_snn.auditing.finding import Finding, judged_share, percent, point
from rsc_snn.rng import separate_global_state
from rsc_snn.runs.audit_schema import FAIL

_ROUNDING = 1e-4  # of the largest logit
_LIMIT = 0.01
_NUM_IMAGES = 64


@dataclass(frozen=True, kw_only=True)
class Repeatability(AbstractCheck):
    """Calls the network again with the same noise, after other images, and beside other images.

    A network that keeps state between calls, or one whose noise is always the same, cannot be attacked or
    scored as it will be used. Noise counts as frozen if two draws of a random coding give the same logits, or
    if a call leaves torch's global generator in the same state whatever state it found.
    """

    @property
    def title(self) -> str:
        """The question."""
        return "calls are fresh and independent"

    @property
    def sign(self) -> int | None:
        """None."""
        return None

    def measure(self, case: Case) -> Finding:
        """Largest share of images whose logits change though nothing of theirs did."""
        images, rows = case.images[:_NUM_IMAGES], slice(0, _NUM_IMAGES)
        others = 1 - images.flip((2, 3))
        first = _logits(case, images)
        again = _logits(case, images)
        _logits(case, others)
        after = _logits(case, images)
        half = torch.arange(len(images), device=images.device) % 2 == 0
        beside = _logits(case, torch.where(half[:, None, None, None], images, others))
        changes = {
            "called again": _changed(first, again),
            "called after other images": _changed(first, after),
            "beside other images": _changed(first[half], beside[half]),
        }
        frozen = _frozen(case, images, rows)
        shares = {name: sum(change) / len(change) for name, change in changes.items()}
        worst = max(shares, key=lambda name: shares[name])
        verdict = FAIL if frozen else judged_share(changes[worst], limit=_LIMIT, tolerated=_LIMIT)
        shown = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
        return Finding(
            verdict=verdict,
            value=shares[worst],
            threshold=_LIMIT,
            note=frozen or f"Images whose logits change though image and noise are the same: {shown}.",
            curve={name: [point(i, change)] for i, (name, change) in enumerate(changes.items())},
            axes=("kind of call", "share of images"),
        )


@torch.no_grad()
def _logits(case: Case, images: Tensor, draw: int = 0) -> Tensor:
    """Logits of one draw, the same for the same ``draw``."""
    case.passes += len(images)
    noise = case.noise("probe", slice(0, len(images))).at(draw)
    return case.classifier.logits(images, noise).double()


def _changed(first: Tensor, second: Tensor) -> list[float]:
    """1 for each image whose logits are not the same."""
    change = (first - second).abs().amax(1)
    is_same = change <= _ROUNDING * first.abs().amax(1).clamp_min(1e-12)  # NaN is not
    return (~is_same).double().tolist()


def _frozen(case: Case, images: Tensor, rows: slice) -> str | None:
    """What is frozen, in words, or None. Faded images, since a coding may be certain of black and white."""
    coding, faded = case.classifier.coding, 0.05 + 0.9 * images
    if coding is not None and coding.is_random:
        first, second = (_logits(case, faded, draw) for draw in (0, 1))
        if torch.equal(first, second):
            return f"The noise is frozen: {coding} is random, but two draws give the same logits."
    states = []
    for seed in (0, 1):
        with separate_global_state(case.noise("probe", rows).at(seed), images.device), torch.no_grad():
            case.classifier.logits(images)
            states.append(torch.get_rng_state())
    if torch.equal(*states):
        return "The noise is frozen: a call sets torch's global generator to the same state every time."
    return None


EXAMPLES = (Repeatability(),)
