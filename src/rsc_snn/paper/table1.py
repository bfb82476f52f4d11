"""Table 1: the five signs of masked gradients. Its verdicts are words, and none can be read."""

from rsc_snn.paper.rows import UNNAMED, Block

SIGNS = (
    "single-step attacks do better than iterative ones",
    "black-box attacks do better than white-box ones",
    "a larger bound does not help the attack",
    "unbounded attacks do not reach 100 %",
    "random search finds adversarial images",
)
_NOTE = "a verdict in words; the source has only the caption, the list is that of its reference [1]"
_TABLE = Block("table1", UNNAMED, UNNAMED)

NUMBERS = tuple(number for sign in SIGNS for number in _TABLE.lost(sign, _NOTE, ("Verdict",)))
