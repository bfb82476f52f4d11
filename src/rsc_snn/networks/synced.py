"""Batch normalisation with statistics over all processes, on any backend of torch.distributed.

torch's own SyncBatchNorm refuses CPU tensors; this one is plain arithmetic and an all-reduce, so that
gloo on CPUs and NCCL on GPUs compute the same thing.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

from rsc_snn.errors import InputError

_HALVES = (torch.float16, torch.bfloat16)


class SyncedBatchNorm(nn.Module):
    """``nn.BatchNorm2d`` whose training statistics cover the batches of all processes.

    Takes over the parameters and buffers of ``norm``, under the same names. In training mode every process
    of the default group must call it, the same number of times, forward and backward; their batches may
    differ in size. Gradients flow through the shared statistics: the gradients of a process are those of
    the sum of all losses, so that averaging them, as DistributedDataParallel does, gives the gradient of
    the mean over processes. Mean first, then squares of the centred values; the running variance is the
    unbiased one of all values together. 16-bit inputs are normalised in float32 and returned in their
    own type.

    In eval mode, or where no process group was made, it is ``nn.BatchNorm2d``.

    Args:
        norm: Its parameters are used, not copied.

    Raises:
        InputError: ``norm`` lacks weights, running statistics or a fixed momentum.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm2d):
        super().__init__()
        if not (norm.affine and norm.track_running_stats) or norm.momentum is None:
            raise InputError(
                f"synchronised normalisation expects affine=True, track_running_stats=True and a momentum, "
                f"got {norm}; build the network without these options"
            )
        self.eps, self.momentum = norm.eps, norm.momentum
        for name, parameter in norm.named_parameters():
            self.register_parameter(name, parameter)
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self.train(norm.training)

    @property
    def is_shared(self) -> bool:
        """Whether statistics are taken over processes now."""
        return self.training and distributed.is_available() and distributed.is_initialized()

    def forward(self, values: Float[Tensor, "N C H W"], *, repeats: int = 1) -> Float[Tensor, "N C H W"]:
        """Return the normalised values; in training mode the running statistics move.

        Where statistics are shared, the running variance is unbiased as if each value stood there ``repeats``
        times.
        """
        if self.training:
            self.num_batches_tracked.add_(1)
        if self.is_shared:
            return self._normalised(values, repeats)
        return nn.functional.batch_norm(
            values,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )

    def extra_repr(self) -> str:
        """Channels, eps and momentum."""
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"

    def _normalised(self, values_NCHW: Tensor, repeats: int) -> Tensor:
        wide = values_NCHW.float() if values_NCHW.dtype in _HALVES else values_NCHW
        local_count = wide.new_tensor([wide.numel() // wide.shape[1]])
        totals = _sum_over_processes(torch.cat([wide.sum((0, 2, 3)), local_count]))
        count = totals[-1].detach()
        mean_C = totals[:-1] / count
        centred = wide - mean_C[:, None, None]
        var_C = _sum_over_processes(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            unbiased_C = var_C * (count * repeats) / (count * repeats - 1)
            self.running_mean.lerp_(mean_C.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(unbiased_C.to(self.running_var.dtype), self.momentum)
        scale_C = self.weight * torch.rsqrt(var_C + self.eps)
        normalised = centred * scale_C[:, None, None] + self.bias[:, None, None]
        return normalised.to(values_NCHW.dtype)


def synchronise(module: nn.Module) -> nn.Module:
    """Replace every ``nn.BatchNorm2d`` inside ``module`` by a ``SyncedBatchNorm`` with its parameters.

    The module is changed and returned; only if it is an ``nn.BatchNorm2d`` itself a new one is returned.
    State dictionaries keep their keys. Optimisers that hold the parameters stay valid.
    """
    if isinstance(module, nn.BatchNorm2d):
        return SyncedBatchNorm(module)
    for name, child in module.named_children():
        setattr(module, name, synchronise(child))
    return module


def _sum_over_processes(values: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(values)  # type: ignore[no-untyped-call]
    return total


class _SumOverProcesses(torch.autograd.Function):
    """Sum over all processes; the derivative sums the gradients, for every process got the sum.

    It is itself such a sum, so that a gradient of a gradient is right, too.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _all_reduced(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _sum_over_processes(grads[0])


def _all_reduced(values: Tensor) -> Tensor:
    total = values.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total
