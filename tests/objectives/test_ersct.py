"""TET, distillation and E-RSCT against hand calculations."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.errors import InputError, RangeError
from rsc_snn.objectives.ersct import distillation
from rsc_snn.objectives.teachers import as_teacher, replace_teachers, teachers_of
from rsc_snn.spec import to_data
from tests.helpers import seeded, small_classifier

LOG2 = math.log(2)


class OverTime(nn.Module):
    """Logits that differ from step to step: (0, a), (0, b) for every image."""

    def __init__(self, *scores: float):
        super().__init__()
        self.scores = nn.Parameter(torch.tensor(scores))

    def forward(self, current_TBCHW: Tensor) -> Tensor:
        num_images = current_TBCHW.shape[1]
        return torch.stack([torch.zeros_like(self.scores), self.scores], -1)[:, None].expand(
            -1, num_images, 2
        )


class Teacher(nn.Module):
    """Fixed logits, and a count of its calls."""

    def __init__(self, *logits: float):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits, dtype=torch.float32))
        self.norm = nn.BatchNorm2d(1)
        self.seen: list[Tensor] = []

    def forward(self, images_BCHW: Tensor) -> Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        self.seen.append(images_BCHW)
        nothing: Tensor = 0 * self.norm(images_BCHW).sum()
        return self.logits.expand(len(images_BCHW), -1) + nothing


def student(*scores: float) -> rs.SpikingClassifier:
    return rs.SpikingClassifier(OverTime(*scores), rs.codings.Direct(), len(scores))


IMAGES, LABELS = torch.full((3, 1, 2, 2), 0.5), torch.tensor([1, 1, 1])


def test_tet_by_hand() -> None:
    """Scores ln 3 and 0: CE is ln(4/3) and ln 2; distances to 1 are 1, (ln 3 - 1)^2, 1 and 1."""
    cross_entropy = (math.log(4 / 3) + LOG2) / 2
    distance = (3 + (math.log(3) - 1) ** 2) / 4
    for weight in (0.0, 1e-3, 0.25, 1.0):
        loss = rs.objectives.TET(mse_weight=weight)(student(math.log(3), 0.0), IMAGES, LABELS)
        assert float(loss.detach()) == pytest.approx((1 - weight) * cross_entropy + weight * distance)


def test_tet_pulls_towards_its_target() -> None:
    loss = rs.objectives.TET(mse_weight=1.0, target=-2.0)(student(0.5), IMAGES, LABELS)
    assert float(loss.detach()) == pytest.approx((2.0**2 + 2.5**2) / 2)


def test_tet_is_not_the_loss_of_the_mean() -> None:
    """Cross-entropy is convex, so that the mean over steps is above the loss of the mean logits."""
    of_steps = rs.objectives.TET(mse_weight=0.0)(student(2.0, -2.0), IMAGES, LABELS)
    of_mean = rs.objectives.CrossEntropy()(student(2.0, -2.0), IMAGES, LABELS)
    assert float(of_mean.detach()) == pytest.approx(LOG2)
    assert float(of_steps.detach()) == pytest.approx((math.log1p(math.exp(-2)) + math.log1p(math.exp(2))) / 2)


@pytest.mark.parametrize(("is_reversed", "expected"), [(False, 0.0), (True, 0.0)])
def test_equal_predictions_have_no_distance(is_reversed: bool, expected: float) -> None:
    logits = torch.randn(4, 5, generator=seeded(0))
    shifted = logits + 3.0  # softmax does not see it
    assert float(distillation(logits, shifted, is_reversed=is_reversed)) == pytest.approx(expected, abs=1e-6)


def test_kl_by_hand_in_both_directions() -> None:
    """Teacher (1/4, 3/4), student (1/2, 1/2)."""
    teacher, uniform = torch.tensor([[0.0, math.log(3)]]), torch.zeros(1, 2)
    forward = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    backward = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(distillation(uniform, teacher)) == pytest.approx(forward)
    assert float(distillation(uniform, teacher, is_reversed=True)) == pytest.approx(backward)


def test_kl_with_a_temperature_by_hand() -> None:
    """Logits 2 ln 3 at temperature 2 are ln 3; the loss is multiplied by 4."""
    teacher = torch.tensor([[0.0, 2 * math.log(3)]])
    expected = 4 * (0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert float(distillation(torch.zeros(1, 2), teacher, temperature=2.0)) == pytest.approx(expected)


def test_kl_is_averaged_over_the_batch() -> None:
    teacher = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    expected = (0.25 * math.log(0.5) + 0.75 * math.log(1.5)) / 2
    assert float(distillation(torch.zeros(2, 2), teacher)) == pytest.approx(expected)


def test_kl_equals_the_formula_of_its_definition() -> None:
    student_logits, teacher_logits = torch.randn(2, 6, 4, generator=seeded(1)).double().unbind(0)
    tau = 3.0
    p, q = (teacher_logits / tau).softmax(1), (student_logits / tau).softmax(1)
    expected = (p * (p.log() - q.log())).sum(1).mean() * tau**2
    assert float(distillation(student_logits, teacher_logits, temperature=tau)) == pytest.approx(
        float(expected)
    )


@pytest.mark.parametrize("kd_weight", [0.0, 0.1, 2.0])
def test_ersct_by_hand(kd_weight: float) -> None:
    """Mean score ln 3 / 2 of steps ln 3 and 0, against a teacher of (1/4, 3/4)."""
    objective = rs.objectives.ERSCT(teacher=Teacher(0.0, math.log(3)), kd_weight=kd_weight)
    q = 1 / (1 + math.sqrt(3))  # probability of class 0 at a score of ln 3 / 2
    distance = 0.25 * math.log(0.25 / q) + 0.75 * math.log(0.75 / (1 - q))
    presynaptic = rs.objectives.TET()(student(math.log(3), 0.0), IMAGES, LABELS)
    loss = objective(student(math.log(3), 0.0), IMAGES, LABELS)
    assert float(loss.detach()) == pytest.approx(float(presynaptic.detach()) + kd_weight * distance)


def test_distillation_alone_is_ersct_on_the_cross_entropy_of_the_mean_logits() -> None:
    """A weight of 0 leaves its loss, which is not that of every step."""
    objective = rs.objectives.ERSCT(
        teacher=Teacher(0.0, 0.0), kd_weight=0.0, presynaptic=rs.objectives.CrossEntropy()
    )
    loss = float(objective(student(math.log(3), 0.0), IMAGES, LABELS).detach())
    standard = rs.objectives.CrossEntropy()(student(math.log(3), 0.0), IMAGES, LABELS)
    each = rs.objectives.TET(mse_weight=0.0)(student(math.log(3), 0.0), IMAGES, LABELS)
    assert loss == float(standard.detach())
    assert loss != pytest.approx(float(each.detach()))  # that of each step


def test_the_gradient_reaches_the_student_and_never_the_teacher() -> None:
    teacher, classifier = Teacher(*range(10)).train(), small_classifier().train()
    objective = rs.objectives.ERSCT(teacher=teacher)
    objective(classifier, torch.rand(8, 1, 8, 8, generator=seeded(0)), torch.arange(8)).backward()
    assert all(p.grad is not None and bool((p.grad != 0).any()) for p in classifier.parameters())
    assert all(p.grad is None for p in teacher.parameters())
    assert len(teacher.seen) == 1, "once per batch"
    assert teacher.training, "its mode is restored"
    assert teacher.norm.num_batches_tracked == 0, "its statistics are untouched"


def test_the_distance_alone_pulls_the_student_to_the_teacher() -> None:
    """Gradient of KL(teacher || student) with respect to the student's logits: softmax(s) - softmax(t)."""
    logits, target = torch.randn(2, 5, 3, generator=seeded(2)).unbind(0)
    logits.requires_grad_()
    distillation(logits, target).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, (logits.detach().softmax(1) - target.softmax(1)) / 5)


def test_the_teacher_sees_the_image_or_what_the_student_sees() -> None:
    images = torch.full((4, 1, 8, 8), 0.5)
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    clean, noisy = Teacher(*range(10)), Teacher(*range(10))
    streams = rs.Streams(0, "train", range(4))
    rs.objectives.ERSCT(teacher=clean)(classifier, images, torch.arange(4), generator=streams)
    assert torch.equal(clean.seen[0], images)
    rs.objectives.ERSCT(teacher=noisy, is_teacher_noisy=True)(
        classifier, images, torch.arange(4), generator=streams.at(7)
    )
    expected = classifier.coding.encode(images, 1, generator=streams.at(7))[0]
    torch.testing.assert_close(noisy.seen[0], expected)
    assert not torch.equal(noisy.seen[0], images)


def test_the_noise_of_the_student_does_not_depend_on_who_watches() -> None:
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    images, labels = torch.rand(4, 1, 8, 8, generator=seeded(0)), torch.arange(4)
    losses = [
        rs.objectives.ERSCT(teacher=Teacher(*[0.0] * 10), is_teacher_noisy=noisy)(
            classifier, images, labels, generator=rs.Streams(0, "train", range(4))
        )
        for noisy in (False, True)
    ]
    assert losses[0] == losses[1]


def test_any_network_of_the_library_can_teach(tmp_path: Path) -> None:
    images, labels = torch.rand(4, 1, 8, 8, generator=seeded(0)), torch.arange(4)
    poisson = small_classifier(rs.codings.Poisson(), num_steps=3, seed=5)
    rs.save(tmp_path / "run", poisson)
    losses = [
        rs.objectives.ERSCT(teacher=teacher)(
            small_classifier(), images, labels, generator=rs.Streams(0, "train", range(4))
        )
        for teacher in (poisson, str(tmp_path / "run"), rs.objectives.SavedTeacher(run=str(tmp_path / "run")))
    ]
    assert losses[0] == losses[1] == losses[2]


def test_a_teacher_with_other_classes_is_refused() -> None:
    objective = rs.objectives.ERSCT(teacher=Teacher(*range(7)))
    with pytest.raises(InputError, match="the teacher answers with 7 classes, the student with 10"):
        objective(small_classifier(), torch.rand(2, 1, 8, 8), torch.arange(2))


def test_a_noisy_teacher_needs_a_coding() -> None:
    classifier = rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).eval())
    objective = rs.objectives.ERSCT(teacher=Teacher(0.0, 1.0), is_teacher_noisy=True)
    with pytest.raises(InputError, match="is_teacher_noisy needs a student with a coding"):
        objective(classifier, IMAGES, LABELS)


def test_a_module_as_teacher_cannot_be_written_down() -> None:
    with pytest.raises(InputError, match=r"a Teacher cannot be written into a run\.yaml"):
        to_data(rs.objectives.ERSCT(teacher=Teacher(0.0, 1.0)))


def test_teachers_are_found_and_replaced_however_deep() -> None:
    inner = rs.objectives.ERSCT(teacher="somewhere")
    outer = rs.objectives.SNNRAT(objective=rs.objectives.Adversarial(objective=inner))
    assert teachers_of(outer) == [rs.objectives.SavedTeacher(run="somewhere")]
    assert teachers_of(rs.objectives.Adversarial()) == []
    changed = replace_teachers(outer, lambda teacher: as_teacher("elsewhere"))
    assert teachers_of(changed) == [rs.objectives.SavedTeacher(run="elsewhere")]
    assert replace_teachers(changed, lambda teacher: as_teacher("somewhere")) == outer


@dataclass(frozen=True)
class Bad:
    field: str
    value: float


@pytest.mark.parametrize(
    "bad", [Bad("kd_weight", -0.1), Bad("kd_weight", math.nan), Bad("temperature", 0.0)], ids=repr
)
def test_bad_settings_are_named(bad: Bad) -> None:
    with pytest.raises(RangeError, match=bad.field):
        rs.objectives.ERSCT(teacher="run", **{bad.field: bad.value})  # type: ignore[arg-type]


def test_bad_weights_of_tet_are_named() -> None:
    with pytest.raises(RangeError, match=r"mse_weight must lie in \[0, 1\], got 1.5"):
        rs.objectives.TET(mse_weight=1.5)
