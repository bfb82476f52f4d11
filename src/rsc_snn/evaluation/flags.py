"""Flags of a row: reasons to doubt it, or why it holds nothing. Needs no torch."""

OUT_OF_BALL = "out-of-ball"
BLIND = "zero-gradient"
UNCHANGED = "unchanged"
SHORT = "short-of-ball"

# why an entry has no votes
LOST = "lost"
NOT_APPLICABLE = "not-applicable"
NOT_RUN = "not-run"

# why the worst case of the suite "reliable" is not reliable
QUICK_BUDGET = "quick-budget"
FEW_DRAWS = "few-draws"
OUT_OF_REACH = "surrogate-out-of-reach"
NO_GRADIENT = "no-gradient"

ABSENT = (LOST, NOT_APPLICABLE, NOT_RUN)
UNRELIABLE = {
    QUICK_BUDGET: "the budget is quick",
    FEW_DRAWS: "fewer than 20 scoring draws",
    OUT_OF_REACH: "a gradient path cannot reach the neurons of a foreign module",
    NO_GRADIENT: "no entry found a gradient on more than 1 % of the images",
}
TOLERATED_SHARE = {NO_GRADIENT: 0.01}  # of the images; of the other flags, none
