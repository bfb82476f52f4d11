"""Efficient randomized smoothing coding training: distillation and the pre-synaptic loss."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from rsc_snn.classifier import AbstractClassifier, SpikingClassifier
from rsc_snn.errors import InputError, RangeError
from rsc_snn.objectives.base import AbstractObjective
from rsc_snn.objectives.of_logits import AbstractOfLogits
from rsc_snn.objectives.teachers import AbstractTeacher, as_teacher, require_same_classes
from rsc_snn.objectives.tet import TET
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class ERSCT(AbstractObjective):
    """kd_weight * KL + pre-synaptic loss [RSC-SNN, Section 3.5, Algorithm 1, Eqs. 15 and 16].

    KL is that of Hinton et al. [arXiv:1503.02531] between teacher and the student's mean logits, both
    softened by the temperature, times temperature^2, averaged over the batch. Eq. 15 writes KL(student,
    teacher) and states neither direction nor temperature; the default is KL(teacher || student) at 1.

    The teacher is called once per batch, in eval mode and without gradient, on the original images: before
    the coding's noise and before any adversary.

    Args:
        teacher: A module from images to logits, the path of a run folder, or a teacher spec.
        kd_weight: The paper's lambda, >= 0.
        temperature: Divides both logits, > 0, dimensionless.
        is_reversed: Whether KL(student || teacher) is used instead.
        is_teacher_noisy: Whether the teacher sees the student's noisy current, averaged over time, instead
            of the image; behind an adversary, a current of the original image with a draw of its own.
        presynaptic: The loss against the labels: TET, or CrossEntropy for distillation alone.
    """

    teacher: AbstractTeacher | nn.Module | Path | str
    kd_weight: float = 0.1
    temperature: float = 1.0
    is_reversed: bool = False
    is_teacher_noisy: bool = False
    presynaptic: AbstractOfLogits = field(default_factory=TET)

    def __post_init__(self) -> None:
        object.__setattr__(self, "teacher", as_teacher(self.teacher))
        if not 0 <= self.kd_weight < math.inf:
            raise RangeError(f"kd_weight must be finite and >= 0, got {self.kd_weight}")
        if not 0 < self.temperature < math.inf:
            raise RangeError(f"temperature must be finite and > 0, got {self.temperature}")

    def loss_and_logits(
        self,
        classifier: AbstractClassifier,
        images: Float[Tensor, "B C H W"],
        labels: Int64[Tensor, "B"],
        *,
        generator: Randomness = None,
        originals: Float[Tensor, "B C H W"] | None = None,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "B K"]]:
        """Return the loss and the student's mean logits."""
        seen = images if originals is None else originals
        if self.is_teacher_noisy:
            student = _require_coding(classifier)
            current = student.encode(images, generator)
            logits_TBK = student.respond(current)
            shown = current if originals is None else student.encode(originals, generator)
            seen = shown.detach().mean(0).clamp(0, 1)
        else:
            logits_TBK = classifier.logits_over_time(images, generator)
        teacher_BK = as_teacher(self.teacher).logits(seen, generator)
        student_BK = logits_TBK.mean(0)
        require_same_classes(teacher_BK, student_BK)
        distance = distillation(
            student_BK, teacher_BK, temperature=self.temperature, is_reversed=self.is_reversed
        )
        loss = self.presynaptic.of_logits(logits_TBK, labels) + self.kd_weight * distance
        return loss, student_BK


def distillation(
    student: Float[Tensor, "B K"],
    teacher: Float[Tensor, "B K"],
    *,
    temperature: float = 1.0,
    is_reversed: bool = False,
) -> Float[Tensor, ""]:
    """KL(teacher || student) of the softened predictions, averaged over the batch, times temperature^2.

    Args:
        student: Logits of the one that learns.
        teacher: Logits of the one that is imitated.
        temperature: Divides both.
        is_reversed: KL(student || teacher) instead.
    """
    student_log, teacher_log = (
        functional.log_softmax(logits / temperature, dim=-1) for logits in (student, teacher)
    )
    first, second = (student_log, teacher_log) if is_reversed else (teacher_log, student_log)
    return functional.kl_div(second, first, reduction="batchmean", log_target=True) * temperature**2


def _require_coding(classifier: AbstractClassifier) -> SpikingClassifier:
    if not isinstance(classifier, SpikingClassifier):
        raise InputError(
            f"is_teacher_noisy needs a student with a coding, got {type(classifier).__name__}; "
            "use a SpikingClassifier"
        )
    return classifier
