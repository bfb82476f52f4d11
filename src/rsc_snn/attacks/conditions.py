"""What a network is in while it is attacked, and is not afterwards."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from rsc_snn.classifier import AbstractClassifier
from rsc_snn.rng import Streams

_MOST_PROBED = 4  # of which a foreign module's first call makes its checks


@contextlib.contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Put a module in eval mode and restore the mode of every submodule, whatever happens."""
    modes = [(submodule, submodule.training) for submodule in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for submodule, mode in modes:
            submodule.training = mode


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Let no parameter ask for a gradient, which saves the memory for it, and restore whatever happens."""
    asking = [parameter for parameter in module.parameters() if parameter.requires_grad]
    try:
        for parameter in asking:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in asking:
            parameter.requires_grad_(True)


@torch.no_grad()
def answered_classes(classifier: AbstractClassifier, images: Tensor) -> int:
    """Number of classes K, found by showing the classifier a few images, in eval mode.

    Raises:
        InputError: it cannot take such images.
    """
    probe = images[:_MOST_PROBED]
    with evaluation_mode(classifier):
        return classifier.logits(probe, Streams(0, "probe", range(len(probe)))).shape[-1]
