"""Who teaches in a distillation: a module at hand, or the classifier of a run folder."""

import functools
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rsc_snn.attacks.conditions import evaluation_mode
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.rng import Randomness
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load
from rsc_snn.spec import Spec

T = TypeVar("T", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class AbstractTeacher(Spec):
    """A source of logits that no gradient reaches."""

    @abstractmethod
    def module(self, device: torch.device) -> nn.Module:
        """Return the classifier, images [B, C, H, W] to logits [B, K], on ``device``."""
        raise NotImplementedError

    def logits(self, images: Float[Tensor, "B C H W"], generator: Randomness) -> Float[Tensor, "B K"]:
        """Return the teacher's logits: eval mode, no gradient, one call of the module.

        Args:
            images: Pixels in [0, 1].
            generator: For a teacher whose coding is random.
        """
        module = self.module(images.device)
        with torch.no_grad(), evaluation_mode(module):
            if isinstance(module, AbstractClassifier):
                return module.logits(images, generator)
            answer: Tensor = module(images)
            return answer


@dataclass(frozen=True, kw_only=True)
class GivenTeacher(AbstractTeacher):
    """A module that is in memory; it cannot be written into a run.yaml.

    Args:
        classifier: Maps images in [0, 1] to logits.
    """

    classifier: nn.Module = field(repr=False)

    def module(self, device: torch.device) -> nn.Module:
        """Return the module, which must be on ``device`` already."""
        return self.classifier


@dataclass(frozen=True, kw_only=True)
class SavedTeacher(AbstractTeacher):
    """The classifier of a run folder.

    Args:
        run: Path of the run folder, read at first use.
    """

    run: str

    def module(self, device: torch.device) -> nn.Module:
        """Return the classifier, loaded once per process and device."""
        path = Path(self.run).expanduser().resolve()
        weights = RunFolder(path).weights
        changed = weights.stat().st_mtime_ns if weights.exists() else 0
        return _load(path, changed, device)


def as_teacher(value: "AbstractTeacher | nn.Module | str | Path") -> AbstractTeacher:
    """Read what a user gives as a teacher: a spec, a module, or the path of a run folder.

    Raises:
        InputError: it is none of them.
    """
    if isinstance(value, AbstractTeacher):
        return value
    if isinstance(value, nn.Module):
        return GivenTeacher(classifier=value)
    if isinstance(value, str | Path):
        return SavedTeacher(run=str(value))
    raise InputError(f"teacher expects a module, a teacher spec or the path of a run folder, got {value!r}")


def teachers_of(spec: Spec) -> list[AbstractTeacher]:
    """Return every teacher that stands somewhere in ``spec``."""
    found: list[AbstractTeacher] = []

    def note(teacher: AbstractTeacher) -> AbstractTeacher:
        found.append(teacher)
        return teacher

    replace_teachers(spec, note)
    return found


def replace_teachers(spec: T, change: Callable[[AbstractTeacher], AbstractTeacher]) -> T:
    """Return ``spec`` with every teacher in it, however deep, replaced by ``change(teacher)``."""
    changes: dict[str, Spec] = {}
    for item in fields(spec):
        value = getattr(spec, item.name)
        if isinstance(value, AbstractTeacher):
            changes[item.name] = change(value)
        elif isinstance(value, Spec):
            changes[item.name] = replace_teachers(value, change)
    return replace(spec, **changes) if changes else spec


def require_same_classes(teacher: Float[Tensor, "B K"], student: Float[Tensor, "B J"]) -> None:
    """Raise unless teacher and student answer with the same number of classes."""
    if teacher.shape != student.shape:
        raise InputError(
            f"the teacher answers with {teacher.shape[-1]} classes, the student with {student.shape[-1]}; "
            "give a teacher that was trained on the same classes"
        )


@functools.cache
def _load(run: Path, changed: int, device: torch.device) -> nn.Module:
    return load(run).to(device)
