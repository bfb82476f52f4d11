"""When an attack has surely taken the majority. Needs no torch."""

from collections.abc import Sequence

from rsc_snn.certification.bounds import lower_bound, require_alpha

ALPHA = 0.001


def is_surely_lost(counts: Sequence[int], label: int, alpha: float = ALPHA) -> bool:
    """Whether some class is surely more probable than the label, from votes on an attacked image.

    Of the draws that vote for the label or for one other class, k, the share of k is binomial, and above 1/2
    in expectation only if k is the more probable of both. Each of the K - 1 others is tested by Clopper and
    Pearson's bound at alpha / (K - 1), so that an image whose label has the majority counts as lost with
    probability ``alpha`` at most.

    Args:
        counts: Votes by class of draws that no attack has seen, [K].
        label: The class that should have the majority.
        alpha: Probability of an error, in (0, 1/2).
    """
    require_alpha(alpha)
    own = counts[label]
    others = [count for k, count in enumerate(counts) if k != label and count > own]
    level = alpha / max(1, len(counts) - 1)
    return any(float(lower_bound(count, count + own, level)) > 0.5 for count in others)
