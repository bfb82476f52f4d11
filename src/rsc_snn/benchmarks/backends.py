"""Ways in which a network of ours computes its neurons and normalisations."""

from torch import nn

from rsc_snn import networks

PLAIN, EAGER, COMPILED = "plain", "eager", "compiled"


def backends() -> tuple[str, ...]:
    """Return the names, the plain one first; one that is not there is not measured."""
    return (PLAIN, EAGER, COMPILED) if hasattr(networks, "set_backend") else (PLAIN,)


def default_backend() -> str:
    """Return the name of the backend that a network has without being told."""
    return EAGER if EAGER in backends() else PLAIN


def use_backend(module: nn.Module, name: str) -> None:
    """Let all networks in ``module`` compute with a backend of ``backends()``."""
    choose = getattr(networks, "set_backend", None)
    if choose is not None:
        choose(module, name)
