"""The state of an unfinished training run, saved so that a resumed run is bit-identical."""

import os
import pickle
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rsc_snn.errors import DamagedCheckpoint, RunFolderError
from rsc_snn.runs.files import replace_file
from rsc_snn.runs.folder import RunFolder

State = dict[str, Any]
_UNREADABLE = (RuntimeError, KeyError, TypeError, ValueError, EOFError, pickle.UnpicklingError)


@dataclass
class Progress:
    """Where a run stands. Noise, order and augmentation follow from it, so no generator is saved.

    Attributes:
        epoch: Epochs that are complete.
        step: Steps that are done in the epoch after them.
        loss_sum: Sum of the losses of those steps.
        num_correct: Training images of those steps that were classified right.
        num_seen: Training images of those steps; those that could not be decoded are missing.
        seconds: Time spent in those steps, over all processes that worked on them.
        waiting_seconds: The part of it that this process's device waited for images.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    num_correct: int = 0
    num_seen: int = 0
    seconds: float = 0.0
    waiting_seconds: float = 0.0

    def steps_done(self, steps_per_epoch: int) -> int:
        """Steps since the run began."""
        return self.epoch * steps_per_epoch + self.step


def save_checkpoint(folder: RunFolder, state: State, progress: Progress) -> None:
    """Write checkpoint/last.pt atomically; the one before it stays as checkpoint/previous.pt."""
    folder.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    for left_over in folder.checkpoint.parent.glob(".*.part"):
        left_over.unlink()  # of a process that was killed while it wrote
    content = {**state, "progress": asdict(progress)}

    def write(temporary: Path) -> None:
        torch.save(content, temporary)
        if folder.checkpoint.exists():
            os.replace(folder.checkpoint, folder.previous_checkpoint)

    replace_file(folder.checkpoint, write)


def read_checkpoint(folder: RunFolder) -> tuple[State, Progress] | None:
    """Return the newest state that can be read, its tensors on the CPU; None if nothing was saved.

    Raises:
        RunFolderError: there are checkpoints, and all are damaged.
    """
    failure: Exception | None = None
    for place in (folder.checkpoint, folder.previous_checkpoint):
        if not place.exists():
            continue
        try:
            state: State = torch.load(place, map_location="cpu", weights_only=True)
            progress = Progress(**state.pop("progress"))
        except torch.OutOfMemoryError:
            raise
        except _UNREADABLE as err:
            failure = err
            continue
        if failure is not None:
            text = f"{str(folder.checkpoint)!r} is damaged; going on from the checkpoint before it"
            warnings.warn(text, DamagedCheckpoint, stacklevel=2)
        return state, progress
    if failure is not None:
        raise _unusable(folder) from failure
    return None


def remove_checkpoints(folder: RunFolder) -> None:
    """Remove what only an unfinished run needs; the weights are saved elsewhere."""
    for place in (folder.checkpoint, folder.previous_checkpoint):
        place.unlink(missing_ok=True)
    if folder.checkpoint.parent.is_dir() and not any(folder.checkpoint.parent.iterdir()):
        folder.checkpoint.parent.rmdir()


def require_fitting(folder: RunFolder, restore: Any, state: State) -> None:
    """Call ``restore(state)``, and raise RunFolderError if it is of another run."""
    try:
        restore(state)
    except torch.OutOfMemoryError:
        raise
    except _UNREADABLE as err:
        raise _unusable(folder) from err


def _unusable(folder: RunFolder) -> RunFolderError:
    return RunFolderError(
        f"cannot read {str(folder.checkpoint)!r}: it is damaged or of another run; remove the folder "
        f"{str(folder.checkpoint.parent)!r} to start from the first epoch"
    )
