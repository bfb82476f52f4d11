"""Comparing outputs before anything is timed: a time of something else would mean nothing."""

import torch
from torch import Tensor, nn

from rsc_snn.benchmarks.settling import settle
from rsc_snn.errors import InputError

EXACT = 1e-9  # in float64; one spike more or less moves logits by far more


def require_same_outputs(name: str, ours: nn.Module, other: nn.Module, current: Tensor) -> None:
    """Raise InputError unless two networks give the same logits in both modes of batch normalisation.

    Args:
        name: Of the other network, for the message.
        ours: What is right; both are in float64 and their running statistics change.
        other: What is compared; its logits have to change over time, or nothing would be compared.
        current: [T, B, C, H, W], float64.
    """
    for is_training in (True, False):
        with torch.no_grad():
            expected, found = (module.train(is_training)(current) for module in (ours, other))
            for module in (ours, other):
                settle(module, current)
        mode = "train" if is_training else "eval"
        require_close(f"{name} in {mode} mode", found, expected, tolerance=EXACT)
        _require_firing(expected, mode)


def _require_firing(logits_TBK: Tensor, mode: str) -> None:
    """Raise InputError where no logit changes over time: silent networks are all equal."""
    if bool((logits_TBK == logits_TBK[:1]).all()):
        raise InputError(
            f"expected a network whose neurons fire in {mode} mode, got one that is silent; nothing was "
            "timed; compare it on other images"
        )


def require_close(name: str, found: Tensor, expected: Tensor, *, tolerance: float) -> None:
    """Raise InputError unless two outputs agree up to ``tolerance``, relative and absolute."""
    if found.shape != expected.shape:
        raise InputError(
            f"expected outputs of shape {list(expected.shape)}, got {list(found.shape)} from {name}; nothing "
            "was timed; check the version of that library"
        )
    if not torch.allclose(found, expected.to(found.dtype), rtol=tolerance, atol=tolerance):
        worst = float((found - expected).abs().max())
        raise InputError(
            f"expected the outputs of our plain network, got a difference of {worst:.3g} from {name}; "
            "nothing was timed; check the version of that library"
        )
