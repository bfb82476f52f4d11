"""What can be found out about a foreign module by a few calls. Axes: N images or currents of the probe."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from rsc_snn.errors import DTypeError, InputError, WeakEvaluation

_MOST_ROWS = 4
_ENOUGH_ROWS = 3  # to see whether rows depend on each other
_SAME = 1e-5
_INDEPENDENT = 1e-3
_SUM = 1e-4

Call = Callable[[Tensor], Tensor]


def is_due(*, num_rows: int, num_tried: int) -> bool:
    """Whether a call with ``num_rows`` rows should be tried, after one with ``num_tried``, 0 for none.

    A call with too few rows to see whether they depend on each other does not stand for all later ones.
    """
    return num_tried < min(num_rows, _ENOUGH_ROWS)


def probe(call: Call, inputs: Tensor, *, batch_axis: int) -> None:
    """Try a module on up to four rows of a batch; torch's generators are left alone.

    Args:
        call: From inputs to logits, from rest; each with the batch at ``batch_axis``, logits with the
            classes last.
        inputs: What the module is about to see.
        batch_axis: 0 for images [B, ...], 1 for a current [T, B, ...].

    Raises:
        DTypeError: the logits are no floating-point numbers.
        InputError: they are not finite, or the same call in the same random state gives other logits.

    Warns:
        WeakEvaluation: the logits look like probabilities; or they depend on the other images of the
            batch, which is tried on three rows or more if the module draws no random numbers.

    The module gets copies, so that it may write into them.
    """
    with torch.inference_mode(False), torch.no_grad():
        trial = _Trial(call, inputs.detach().movedim(batch_axis, 0)[:_MOST_ROWS], batch_axis)
        first, is_random = trial.logits()
        again, _ = trial.logits()
        _require_numbers(first)
        _require_repeatable(first, again)
        _warn_of_probabilities(first)
        if not is_random and len(first) >= _ENOUGH_ROWS:
            _warn_of_neighbours(first, trial)


class _Trial:
    def __init__(self, call: Call, rows_N: Tensor, batch_axis: int):
        self._call, self._rows_N, self._batch_axis = call, rows_N, batch_axis
        self._gpus = [rows_N.device] if rows_N.device.type == "cuda" else []

    def logits(self, rows: slice = slice(None)) -> tuple[Tensor, bool]:
        """Logits [N, K] of some rows, from the present random state, and whether they used it."""
        with torch.random.fork_rng(devices=self._gpus):
            before = self._random_states()
            inputs = self._rows_N[rows].movedim(0, self._batch_axis)
            logits = self._call(inputs.clone(memory_format=torch.contiguous_format))
            pairs = zip(before, self._random_states(), strict=True)
            is_random = not all(torch.equal(*pair) for pair in pairs)
        if not logits.is_floating_point():
            raise DTypeError(f"the module must return floating-point logits, got {logits.dtype}")
        return logits.mean(0) if self._batch_axis else logits, is_random

    def _random_states(self) -> list[Tensor]:
        return [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in self._gpus)]


def _require_numbers(logits: Tensor) -> None:
    if not logits.isfinite().all():
        kind = "NaN" if logits.isnan().any() else "infinite"
        raise InputError(f"expected finite logits, the module returned {kind} logits; is it trained?")


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
    """One of the pairs may differ: rounding depends on the size of a batch and may flip a spike."""
    pairs = slice(0, 2), slice(len(logits) - 2, None)
    if not any(_is_close(logits[pair], trial.logits(pair)[0], within=_INDEPENDENT) for pair in pairs):
        warnings.warn(
            "the logits of an image depend on the other images of its batch, so that scores depend on the "
            "batch size; put batch statistics in eval mode",
            WeakEvaluation,
            stacklevel=2,
        )


def _is_close(logits: Tensor, others: Tensor, *, within: float) -> bool:
    return float((logits - others).abs().max()) <= within * float(logits.abs().max())
