"""The state of an unfinished training run, saved so that a resumed run is bit-identical."""

import pickle
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.files import replace_file
from rsc_snn.runs.folder import RunFolder


@dataclass
class Progress:
    """Where a run stands. Noise, order and augmentation follow from it, so no generator is saved.

    Attributes:
        epoch: Epochs that are complete.
        step: Steps that are done in the epoch after them.
        loss_sum: Sum of the losses of those steps.
        num_correct: Training images of those steps that were classified right.
        seconds: Time spent in those steps, over all processes that worked on them.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    num_correct: int = 0
    seconds: float = 0.0


def save_checkpoint(
    folder: RunFolder, classifier: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write checkpoint/last.pt atomically."""
    state = {
        "classifier": classifier.state_dict(),
        "optimizer": optimizer.state_dict(),
        "progress": asdict(progress),
    }
    folder.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    replace_file(folder.checkpoint, lambda temporary: torch.save(state, temporary))


def load_checkpoint(folder: RunFolder, classifier: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Fill classifier and optimizer from the last checkpoint; a fresh start if there is none.

    Raises:
        RunFolderError: the checkpoint is damaged or does not fit the run's specification.
    """
    if not folder.checkpoint.exists():
        return Progress()
    try:
        state: dict[str, Any] = torch.load(folder.checkpoint, map_location="cpu", weights_only=True)
        classifier.load_state_dict(state["classifier"])
        optimizer.load_state_dict(state["optimizer"])
        return Progress(**state["progress"])
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError) as err:
        raise RunFolderError(
            f"cannot read {str(folder.checkpoint)!r}: it is damaged or of another run; remove the folder "
            f"{str(folder.checkpoint.parent)!r} to start from the first epoch"
        ) from err
