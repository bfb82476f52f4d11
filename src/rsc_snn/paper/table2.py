"""Table 2: the attack EOT-PGD. Nothing of it can be read but its caption."""

from rsc_snn.paper.rows import UNNAMED, Block

_NOTE = (
    "no cell can be read, and how many there are is not known; draws per gradient, steps, eps and data sets "
    "are not stated either"
)

NUMBERS = Block("table2", UNNAMED, UNNAMED).lost("RSC-0.1", _NOTE, ("EOT-PGD",))
