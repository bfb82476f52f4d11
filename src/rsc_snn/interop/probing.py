"""What can be found out about a foreign module by a few calls. Axes: N images or currents of the probe."""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from rsc_snn.errors import DTypeError, InputError, WeakEvaluation

_MOST_ROWS = 3
_SAME = 1e-5
_INDEPENDENT = 1e-3
_SUM = 1e-4

Call = Callable[[Tensor], Tensor]


def probe(call: Call, inputs: Tensor, *, batch_axis: int) -> None:
    """Try a module on up to three rows of a batch and a mirrored one; torch's generators are left alone.

    Args:
        call: From inputs to logits, from rest; each with the batch at ``batch_axis``, logits with the
            classes last.
        inputs: What the module is about to see.
        batch_axis: 0 for images [B, ...], 1 for a current [T, B, ...].

    Raises:
        DTypeError: the logits are no floating-point numbers.
        InputError: they are not finite, or the same call in the same random state gives other logits.

    Warns:
        WeakEvaluation: the logits look like probabilities, or depend on the other images of the batch.
    """
    with torch.inference_mode(False), torch.no_grad():
        batch = inputs.detach().movedim(batch_axis, 0)
        rows_N = torch.cat([batch[:_MOST_ROWS], batch[:1].flip(-1)])
        trial = _Trial(call, rows_N, batch_axis)
        first, again, later = trial.calls()
        _require_numbers(first)
        _require_repeatable(first, again)
        _warn_of_probabilities(first)
        if _is_close(first, later, within=_SAME):  # else it is random, and noise depends on the batch
            _warn_of_neighbours(first, trial)


class _Trial:
    def __init__(self, call: Call, rows_N: Tensor, batch_axis: int):
        self._call, self._rows_N, self._batch_axis = call, rows_N, batch_axis

    def calls(self) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [N, K] of two calls in the same random state, and of one that follows the second."""
        with self._forked():
            first = self._logits(self._rows_N)
        with self._forked():
            return first, self._logits(self._rows_N), self._logits(self._rows_N)

    def alone(self, row: int) -> Tensor:
        """Logits [K] of a row that has the batch to itself."""
        with self._forked():
            return self._logits(self._rows_N[row : row + 1])[0]

    def _logits(self, rows_N: Tensor) -> Tensor:
        logits = self._call(rows_N.movedim(0, self._batch_axis))
        if not logits.is_floating_point():
            raise DTypeError(f"the module must return floating-point logits, got {logits.dtype}")
        return logits.mean(0) if self._batch_axis else logits

    def _forked(self) -> AbstractContextManager[None]:
        device = self._rows_N.device
        return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


def _require_numbers(logits: Tensor) -> None:
    if not logits.isfinite().all():
        raise InputError("the module must return finite logits, got NaN or infinity")


def _require_repeatable(first: Tensor, again: Tensor) -> None:
    if _is_close(first, again, within=_SAME):
        return
    raise InputError(
        "the module must give the same logits for the same images and random state, got "
        f"{float((first - again).abs().max()):.3g} apart: it keeps state between calls, or draws numbers "
        "from elsewhere than torch's global generator; let its forward start from rest"
    )


def _warn_of_probabilities(logits: Tensor) -> None:
    is_in_range = bool(((logits >= 0) & (logits <= 1)).all())
    is_choice = bool(((logits == 0) | (logits == 1)).all())  # no softmax gives that
    if is_in_range and not is_choice and bool(((logits.sum(-1) - 1).abs() < _SUM).all()):
        warnings.warn(
            "the module seems to return probabilities instead of logits: the cross-entropy of "
            "probabilities has tiny gradients; leave the softmax out",
            WeakEvaluation,
            stacklevel=2,
        )


def _warn_of_neighbours(logits: Tensor, trial: _Trial) -> None:
    """Half of the rows may differ: rounding depends on the size of a batch and may flip a spike."""
    rows = (0, len(logits) - 1)
    if not any(_is_close(logits[row], trial.alone(row), within=_INDEPENDENT) for row in rows):
        warnings.warn(
            "the logits of an image depend on the other images of its batch, so that scores depend on the "
            "batch size; put batch statistics in eval mode",
            WeakEvaluation,
            stacklevel=2,
        )


def _is_close(logits: Tensor, others: Tensor, *, within: float) -> bool:
    return float((logits - others).abs().max()) <= within * float(logits.abs().max())
