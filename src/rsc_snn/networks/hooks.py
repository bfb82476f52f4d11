"""Hooks: whether somebody looks at a module while it computes."""

from torch import nn


def has_hooks(module: nn.Module) -> bool:
    """Whether somebody watches the input, output or gradients of a module."""
    hooks = (
        module._forward_hooks,
        module._forward_pre_hooks,
        module._backward_hooks,
        module._backward_pre_hooks,
    )
    return any(hooks)
