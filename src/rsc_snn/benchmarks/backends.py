"""Ways in which a network of ours computes its neurons and normalisations."""

from rsc_snn.benchmarks.settings import Settings
from rsc_snn.networks.compiling import can_compile

PLAIN, EAGER, COMPILED = "plain", "eager", "compiled"


def backends(settings: Settings) -> tuple[str, ...]:
    """Return the names, the oracle first; compiled kernels where they can be had, not in a quick look."""
    has_compiled = can_compile(settings.place) and not settings.is_quick
    return (PLAIN, EAGER, COMPILED) if has_compiled else (PLAIN, EAGER)
