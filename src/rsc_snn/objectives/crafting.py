"""The state a classifier is in while adversarial training images are made."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from rsc_snn.attacks.conditions import evaluation_mode


@contextlib.contextmanager
def crafting(classifier: nn.Module, *, in_eval_mode: bool) -> Iterator[None]:
    """Leave no trace: modes and running statistics are afterwards what they were before.

    Args:
        classifier: Attacked inside the context.
        in_eval_mode: Eval mode, with running statistics; else the mode that it is in, whose normalisation
            sees the batch.
    """
    if in_eval_mode:
        with evaluation_mode(classifier):
            yield
        return
    buffers = dict(classifier.named_buffers())
    before = {name: buffer.clone() for name, buffer in buffers.items()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, buffer in buffers.items():
                buffer.copy_(before[name])
