"""Batch normalisation of a current that may stand for several equal steps.

With S = 1 for T equal steps the statistics are those of one step; only the running variance differs, which is
an unbiased one of all values, T times as many.
"""

from typing import TypeGuard

import torch
from torch import Tensor, nn

from rsc_snn.errors import ShapeError
from rsc_snn.networks.hooks import has_hooks
from rsc_snn.networks.synced import SyncedBatchNorm
from rsc_snn.neurons.layer import Affine

Norm = nn.BatchNorm2d | SyncedBatchNorm

_WITH_STATISTICS = ("cpu", "cuda")


def can_be_affine(norm: nn.Module) -> TypeGuard[Norm]:
    """Whether ``affine`` knows what ``norm`` computes, and nobody looks at it while it does."""
    if has_hooks(norm):
        return False
    if isinstance(norm, SyncedBatchNorm):
        return not norm.is_shared
    is_known = type(norm) is nn.BatchNorm2d and norm.affine and norm.track_running_stats
    return is_known and norm.momentum is not None


@torch.no_grad()
def affine(norm: Norm, values_NCHW: Tensor, *, repeats: int) -> Affine:
    """Return the normalisation that ``norm`` applies to values; in training mode its running statistics move.

    Args:
        norm: One for which ``can_be_affine``.
        values_NCHW: What it is applied to.
        repeats: How many times the values stand for.
    """
    running_mean, running_var, momentum = norm.running_mean, norm.running_var, norm.momentum
    assert running_mean is not None
    assert running_var is not None
    if not norm.training:
        invstd = torch.rsqrt(running_var + norm.eps)
        return Affine(norm.weight, norm.bias, running_mean, invstd, norm.eps, is_of_batch=False)
    assert momentum is not None
    assert norm.num_batches_tracked is not None
    mean, var = _statistics(values_NCHW, running_mean)
    count = _count(values_NCHW) * repeats
    if count < 2:
        raise ShapeError(
            f"batch statistics need more than one value per channel, got {list(values_NCHW.shape)}; give "
            "more images, or call .eval()"
        )
    norm.num_batches_tracked.add_(1)
    running_mean.mul_(1 - momentum).add_(mean, alpha=momentum)
    running_var.mul_(1 - momentum).add_(var, alpha=momentum * count / (count - 1))
    return Affine(norm.weight, norm.bias, mean, torch.rsqrt(var + norm.eps), norm.eps, is_of_batch=True)


def normalised(norm: nn.Module, values_NCHW: Tensor, *, repeats: int) -> Tensor:
    """Return ``norm(values)``; the running variance moves as if each value stood there ``repeats`` times."""
    if isinstance(norm, SyncedBatchNorm) and norm.is_shared:
        synced: Tensor = norm(values_NCHW, repeats=repeats)
        return synced
    result: Tensor
    if not isinstance(norm, Norm) or not norm.training or norm.running_var is None or repeats == 1:
        result = norm(values_NCHW)
        return result
    before = norm.running_var.clone()
    result = norm(values_NCHW)
    momentum = norm.momentum
    if momentum is None:
        assert norm.num_batches_tracked is not None
        momentum = 1 / int(norm.num_batches_tracked)
    count = _count(values_NCHW)
    kept = before.mul_(1 - momentum)
    factor = repeats * (count - 1) / (repeats * count - 1)
    # as data: autograd has noted the version of the buffer, whose value it does not need in training mode
    norm.running_var.data.sub_(kept).mul_(factor).add_(kept)
    return result


def _statistics(values_NCHW: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance per channel, of the type and on the device of ``like``."""
    if values_NCHW.dtype == like.dtype and values_NCHW.device.type in _WITH_STATISTICS:
        mean, var = torch.ops.aten.batch_norm_update_stats(values_NCHW, None, None, 0.0)
    else:  # of 16-bit values torch would return statistics of 16 bits
        var, mean = torch.var_mean(values_NCHW.to(like.dtype), (0, 2, 3), correction=0)
    return mean, var


def _count(values_NCHW: Tensor) -> int:
    """Values of a channel."""
    return values_NCHW.numel() // values_NCHW.shape[1]
