"""Ways in which a network of ours computes its neurons and normalisations."""

import torch

from rsc_snn.networks.compiling import can_compile

PLAIN, EAGER, COMPILED = "plain", "eager", "compiled"


def backends(device: torch.device) -> tuple[str, ...]:
    """Return the names, the oracle first; kernels that cannot be compiled here are not measured."""
    return (PLAIN, EAGER, COMPILED) if can_compile(device) else (PLAIN, EAGER)
