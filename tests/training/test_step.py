"""One update: accumulation, the average of the weights, precision, constraints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

import rsc_snn as rs
from rsc_snn.data import ImageSet
from rsc_snn.errors import InputError, OutOfMemoryError, RangeError, UnknownNameError
from rsc_snn.networks.activation import Activation
from rsc_snn.processes import Group
from rsc_snn.runs.files import read_rows
from rsc_snn.runs.storage import load
from rsc_snn.training import Training, train
from rsc_snn.training.estimate import estimate
from rsc_snn.training.start import _smaller
from rsc_snn.training.step import Stepper
from tests.helpers import Linear, seeded, small_classifier
from tests.training.test_training import tiny

WEIGHT = torch.tensor([0.5, -1.0]).reshape(1, 1, 2)


def linear_stepper(**settings: Any) -> Stepper:
    """Two logits -+ w.x without noise or normalisation, plain gradient descent."""
    classifier = rs.SpikingClassifier(Linear(WEIGHT.clone()), rs.codings.Direct(), 1)
    training = Training(
        **{"momentum": 0.0, "weight_decay": 0.0, "batch_size": 4, "warmup_epochs": 0, **settings}
    )
    return Stepper(classifier, rs.objectives.CrossEntropy(), training, seed=0, group=Group())


def batch() -> ImageSet:
    images = torch.randint(0, 256, (4, 1, 1, 2), dtype=torch.uint8, generator=seeded(0))
    return ImageSet.of(images, torch.tensor([0, 1, 1, 0]), ("a", "b"))


def weight_of(stepper: Stepper) -> torch.Tensor:
    return stepper.classifier.network.weight.detach().clone()  # type: ignore[operator]


def test_accumulated_passes_give_the_update_of_the_whole_batch() -> None:
    whole, parts = linear_stepper(), linear_stepper(accumulation_steps=2)
    first = whole.update([batch()], epoch=0, step=0, rate=0.5)
    second = parts.update([batch().at(slice(0, 2)), batch().at(slice(2, 4))], epoch=0, step=0, rate=0.5)
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(weight_of(whole), weight_of(parts))
    assert not torch.equal(weight_of(whole), WEIGHT)


def test_the_update_is_that_of_gradient_descent_by_hand() -> None:
    """d/dw of mean log(1 + exp(-2 y w.x)), y = +-1."""
    stepper = linear_stepper()
    stepper.update([batch()], epoch=0, step=0, rate=0.5)
    x, y = batch().pixels().flatten(1), torch.tensor([-1.0, 1.0, 1.0, -1.0])
    margins = y * (x @ WEIGHT.flatten())
    gradient = (-2 * y[:, None] * x * torch.sigmoid(-2 * margins)[:, None]).mean(0)
    torch.testing.assert_close(weight_of(stepper).flatten(), WEIGHT.flatten() - 0.5 * gradient)


def test_the_average_by_hand() -> None:
    """a_1 = w_1, then a_t = 0.75 a_(t-1) + 0.25 w_t."""
    stepper = linear_stepper(ema_decay=0.75)
    expected = torch.empty(0)
    for step in range(4):
        stepper.update([batch()], epoch=0, step=step, rate=0.5)
        now = weight_of(stepper)
        expected = now if step == 0 else 0.75 * expected + 0.25 * now
    averaged: Any = stepper.result.network
    torch.testing.assert_close(averaged.weight.detach(), expected)
    assert not torch.equal(averaged.weight, weight_of(stepper))
    assert linear_stepper().result.network is not averaged


def test_the_average_is_what_is_saved_and_survives_a_crash(tmp_path: Path) -> None:
    from tests.training.test_training import StopAt, weights

    recipe = tiny(ema_decay=0.8)
    train(recipe, tmp_path / "whole")
    train(tiny(), tmp_path / "plain")
    with pytest.raises(RuntimeError, match="crash"):
        train(recipe, tmp_path / "broken", display=StopAt(5))
    train(recipe, tmp_path / "broken", resume=True)
    whole, plain, broken = (weights(tmp_path / name) for name in ("whole", "plain", "broken"))
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    assert not torch.equal(whole["network.layers.readout.weight"], plain["network.layers.readout.weight"])


@pytest.mark.parametrize("precision", ["bfloat16", "float64"])
def test_precision(tmp_path: Path, precision: str) -> None:
    """A run ends with a usable classifier; under bfloat16 weights and membranes stay in float32."""
    train(tiny(precision=precision, epochs=1, warmup_epochs=0.0), tmp_path / "run")
    assert read_rows(tmp_path / "run" / "training.jsonl")[0]["loss"] < 10
    classifier = load(tmp_path / "run")
    assert all(p.dtype == torch.float32 for p in classifier.parameters())
    assert classifier(torch.rand(2, 1, 8, 8)).isfinite().all()


def test_under_bfloat16_products_are_low_and_logits_are_not() -> None:
    recipe = tiny(precision="bfloat16")
    classifier = recipe.classifier().build()
    seen: list[torch.dtype] = []
    for module in classifier.modules():
        if isinstance(module, Activation):
            module.register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
    stepper = Stepper(classifier, rs.objectives.CrossEntropy(), recipe.training, seed=0, group=Group())
    images = torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8, generator=seeded(0))
    data = ImageSet.of(images, torch.arange(4), tuple("0123456789"))
    result = stepper.update([data], epoch=0, step=0, rate=0.01)
    assert torch.bfloat16 in seen
    assert result.dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in classifier.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        assert classifier(torch.rand(2, 1, 8, 8)).dtype == torch.float32


def test_snn_rat_constrains_the_weights_of_a_run(tmp_path: Path) -> None:
    """With beta 0 it is its inner objective, to the bit; with another beta it is not."""
    results = []
    for name, objective in (
        ("plain", rs.objectives.Adversarial()),
        ("zero", rs.objectives.SNNRAT(beta=0.0)),
        ("some", rs.objectives.SNNRAT(beta=0.01)),
    ):
        recipe = replace(tiny(epochs=1, warmup_epochs=0.0), objective=objective)
        results.append(train(recipe, tmp_path / name).state_dict()["network.layers.readout.weight"])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_a_teacher_is_trained_first_and_kept(tmp_path: Path) -> None:
    recipe = tiny("ersct")
    teacher = tiny("ann")
    objective = rs.objectives.ERSCT(teacher=rs.training.TrainedTeacher(recipe=teacher))
    recipe = replace(recipe, objective=objective)
    train(recipe, tmp_path / "run", seed=5)
    train(teacher, tmp_path / "teacher", seed=5)
    saved = (tmp_path / "run" / "teacher" / "weights.safetensors").read_bytes()
    assert saved == (tmp_path / "teacher" / "weights.safetensors").read_bytes()
    loaded = replace(objective, teacher=str(tmp_path / "teacher"))
    train(replace(recipe, objective=loaded), tmp_path / "other", seed=5)
    first, second = (load(tmp_path / name).state_dict() for name in ("run", "other"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_crash_while_the_teacher_or_the_student_is_trained_costs_nothing(tmp_path: Path) -> None:
    from tests.training.test_training import StopAt, timeless, weights

    recipe = tiny("ersct")
    recipe = replace(
        recipe,
        objective=rs.objectives.ERSCT(teacher=rs.training.TrainedTeacher(recipe=tiny("ann"))),
    )
    train(recipe, tmp_path / "whole")
    for num_steps in (7, 10):  # in the teacher, then in the student
        with pytest.raises(RuntimeError, match="crash"):
            train(recipe, tmp_path / "broken", resume=True, display=StopAt(num_steps))
    train(recipe, tmp_path / "broken", resume=True)
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert timeless(tmp_path / "broken") == timeless(tmp_path / "whole")


def test_a_teacher_for_other_classes_or_images_is_refused_before_training(tmp_path: Path) -> None:
    for shape, num_classes, message in (
        ((1, 8, 8), 7, "the teacher answers with 7 classes, digits has 10"),
        ((3, 8, 8), 10, r"the teacher takes images of \(3, 8, 8\), digits has \(1, 8, 8\)"),
    ):
        network = rs.networks.VGG5(hidden_width=4).build(num_classes=num_classes, image_shape=shape)
        place = tmp_path / f"teacher{num_classes}"
        rs.save(place, rs.SpikingClassifier(network, rs.codings.Direct(), 1))
        recipe = replace(tiny("ersct"), objective=rs.objectives.ERSCT(teacher=str(place)))
        with pytest.raises(InputError, match=message):
            train(recipe, tmp_path / "run")
        assert not (tmp_path / "run").exists(), "nothing is left behind"


@dataclass(frozen=True, kw_only=True)
class Greedy(rs.objectives.AbstractObjective):
    """Runs out of memory, in the words of torch."""

    message: str

    def loss_and_logits(self, classifier, images, labels, *, generator=None, originals=None):  # type: ignore[no-untyped-def]
        raise RuntimeError(self.message)


@pytest.mark.parametrize(
    "message",
    ["[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried", "CUDA out of memory. Tried"],
)
def test_running_out_of_memory_names_what_to_try(tmp_path: Path, message: str) -> None:
    recipe = replace(tiny(batch_size=12), objective=Greedy(message=message))
    expected = "12 images of digits-vgg5-rsc0.1 in a pass; try --set training.accumulation_steps=2, "
    with pytest.raises(OutOfMemoryError, match=expected):
        train(recipe, tmp_path / "run")
    with pytest.raises(RuntimeError, match="something else"):
        train(replace(recipe, objective=Greedy(message="something else")), tmp_path / "other")


@pytest.mark.parametrize(
    ("batch_size", "passes", "size", "advice"),
    [
        (12, 2, 1, "accumulation_steps=4, which is 3 images"),
        (12, 1, 2, "accumulation_steps=2, which is 3 images"),
        (64, 16, 2, "a smaller network, num_steps or training.batch_size"),
        (64, 8, 2, "accumulation_steps=16, which is 2 images"),
    ],
)
def test_the_advice_can_be_followed(batch_size: int, passes: int, size: int, advice: str) -> None:
    settings = Training(batch_size=batch_size, accumulation_steps=passes)
    assert advice in _smaller(settings, Group(0, size, 0))


def test_memory_by_hand() -> None:
    """One hidden layer without a neuron: four times the weights, and 1.4 times what autograd keeps.

    Of the logits -+ w.x it keeps the pixels for w, and of the cross-entropy the log-probabilities and labels;
    further small things stay below the size of the pixels.
    """

    class Wide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(10, 64))

        def forward(self, current: torch.Tensor) -> torch.Tensor:
            return current.flatten(2) @ self.weight.T

    network = rs.networks.VGG5(hidden_width=4).build(image_shape=(1, 8, 8))
    network.layers = Wide()
    classifier = rs.SpikingClassifier(network, rs.codings.Direct(), 1)
    stepper = Stepper(classifier, rs.objectives.CrossEntropy(), Training(batch_size=8), seed=0, group=Group())
    stepper.fresh = lambda generator: classifier  # type: ignore[method-assign]
    found = estimate(stepper, rs.data.Digits(), num_steps=1).num_bytes
    weights, pixels = 4 * 10 * 64 * 4, int(1.4 * 8 * 64 * 4)
    assert weights + pixels <= found < weights + 2 * pixels


def test_an_adversary_adds_little_memory_since_its_passes_are_over() -> None:
    def needed(objective: rs.objectives.AbstractObjective) -> int:
        stepper = Stepper(small_classifier(), objective, Training(batch_size=16), seed=0, group=Group())
        return estimate(stepper, rs.data.Digits(), num_steps=1).num_bytes

    plain = needed(rs.objectives.CrossEntropy())
    attack = rs.attacks.PGD(eps=2 / 255)
    assert plain <= needed(rs.objectives.Adversarial(attack=attack)) < 1.3 * plain
    assert needed(rs.objectives.TRADES()) < 2.5 * plain, "it keeps a clean and an adversarial pass"


def test_time_grows_with_the_steps() -> None:
    stepper = Stepper(small_classifier(), rs.objectives.CrossEntropy(), Training(), seed=0, group=Group())
    few, many = (estimate(stepper, rs.data.Digits(), num_steps=n) for n in (10, 10_000))
    assert many.seconds > 10 * few.seconds
    assert many.num_bytes == few.num_bytes


def test_memory_grows_with_the_pass_and_with_the_average() -> None:
    def needed(**settings: Any) -> int:
        training = Training(**settings)
        classifier = small_classifier()
        stepper = Stepper(classifier, rs.objectives.CrossEntropy(), training, seed=0, group=Group())
        return estimate(stepper, rs.data.Digits(), num_steps=1).num_bytes

    weights = sum(p.numel() * 4 for p in small_classifier().parameters())
    small, large = needed(batch_size=32), needed(batch_size=320)
    assert large - 4 * weights == pytest.approx(10 * (small - 4 * weights), rel=0.01)
    assert needed(batch_size=320, accumulation_steps=10) == small
    assert needed(batch_size=32, ema_decay=0.9) == small + weights


def test_the_estimate_changes_nothing() -> None:
    stepper = linear_stepper()
    classifier = small_classifier()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    stepper = Stepper(classifier, rs.objectives.CrossEntropy(), Training(), seed=0, group=Group())
    state = torch.get_rng_state()
    estimate(stepper, rs.data.Digits(), num_steps=1)
    assert all(torch.equal(before[name], value) for name, value in classifier.state_dict().items())
    assert all(p.grad is None for p in classifier.parameters())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"batch_size": 30, "accumulation_steps": 4},
            "accumulation_steps must be a divisor of batch_size = 30",
        ),
        ({"accumulation_steps": 0}, "accumulation_steps must be a divisor"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \(0, 1\), or none, got 1.0"),
        ({"num_workers": -1}, "num_workers must be >= 0"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RangeError, match=message):
        Training(**settings)


def test_an_unknown_precision_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'bfloat16'"):
        Training(precision="bfloat")


def test_passes_too_small_for_normalisation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="a pass must have at least 2 images in each of the 1 processes, got 1"
    ):
        train(tiny(batch_size=4, accumulation_steps=4), tmp_path / "run")
