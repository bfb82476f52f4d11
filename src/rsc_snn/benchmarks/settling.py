"""Giving batch normalisation the statistics of a batch, so that a fresh network fires in eval mode."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def settle(module: nn.Module, given: Tensor) -> None:
    """Pass ``given`` once in training mode; running statistics become those of this pass.

    Without it they are nearly those that a network is made with, and deeper layers stay silent.

    Args:
        module: Left in training mode.
        given: What it is called with.
    """
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    module.train()(given)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
