"""What the first call finds out about a foreign module."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.errors import DTypeError, InputError, ShapeError, WeakEvaluation
from rsc_snn.networks.activation import Activation
from tests.helpers import seeded
from tests.interop import networks


def images(batch: int = 6) -> Tensor:
    return torch.rand(batch, 1, 2, 2, generator=seeded(0))


class Made(nn.Module):
    """Logits from images or a current by any function of [..., 4]."""

    def __init__(self, function: Callable[[Tensor], Any]):
        super().__init__()
        self.function, self.batch_sizes = function, list[int]()
        self.eval()

    def forward(self, inputs: Tensor) -> Any:
        self.batch_sizes.append(inputs.shape[-4])
        return self.function(3 * inputs.flatten(-3) - 1)


def wrapped(module: nn.Module, *, has_coding: bool) -> Any:
    if has_coding:
        return rs.wrap(module, coding=rs.codings.Direct(), num_steps=2)
    return rs.wrap(module)


both = pytest.mark.parametrize("has_coding", [True, False])


class Drifting:
    def __init__(self) -> None:
        self.sum: Tensor | float = 0.0

    def __call__(self, inputs: Tensor) -> Tensor:
        self.sum = 0.5 * self.sum + inputs.sum()
        return inputs + self.sum


@both
def test_state_that_is_kept_between_calls_is_refused(has_coding: bool) -> None:
    classifier = wrapped(Made(Drifting()), has_coding=has_coding)
    with pytest.raises(InputError, match="it keeps state between calls"):
        classifier(images())
    with pytest.raises(InputError, match="it keeps state between calls"):
        rs.attacks.FGSM(eps=0.1)(classifier, images(), torch.zeros(6, dtype=torch.long))


@both
def test_numbers_from_another_generator_are_refused(has_coding: bool) -> None:
    classifier = wrapped(Made(lambda inputs: inputs + random.random()), has_coding=has_coding)
    with pytest.raises(InputError, match="draws numbers from elsewhere than torch's global generator"):
        classifier(images())


@both
def test_probabilities_are_told_from_logits(has_coding: bool) -> None:
    with pytest.warns(WeakEvaluation, match="probabilities instead of logits"):
        wrapped(Made(lambda inputs: inputs.softmax(-1)), has_coding=has_coding)(images())
    wrapped(Made(lambda inputs: inputs.log_softmax(-1)), has_coding=has_coding)(images())
    wrapped(Made(lambda inputs: inputs.sigmoid()), has_coding=has_coding)(images())


@both
def test_logits_that_depend_on_the_batch_are_told(has_coding: bool) -> None:
    with pytest.warns(WeakEvaluation, match="depend on the other images of its batch"):
        wrapped(Made(lambda inputs: inputs - inputs.mean(-2, keepdim=True)), has_coding=has_coding)(images())
    norm = nn.BatchNorm1d(4)
    with pytest.warns(WeakEvaluation, match="depend on the other images of its batch"):
        wrapped(Made(lambda inputs: norm.train()(inputs)), has_coding=False)(images())
    wrapped(Made(lambda inputs: norm.eval()(inputs)), has_coding=False)(images())


@both
def test_one_call_in_eval_mode_is_tried_on_four_images(has_coding: bool) -> None:
    module = Made(lambda inputs: inputs)
    classifier = wrapped(module, has_coding=has_coding)
    classifier.train()(images())
    assert module.batch_sizes == [6], "nothing is tried while training"
    classifier.eval()(images())
    classifier(images())
    assert module.batch_sizes == [6, 4, 4, 2, 6, 6]


@both
def test_a_first_call_of_one_image_does_not_stand_for_batches(has_coding: bool) -> None:
    classifier = wrapped(Made(lambda inputs: inputs - inputs.mean(-2, keepdim=True)), has_coding=has_coding)
    classifier(images(1))
    with pytest.warns(WeakEvaluation, match="depend on the other images of its batch"):
        classifier(images())


@both
def test_a_module_may_write_into_its_input_or_view_it(has_coding: bool) -> None:
    class Careless(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            flat = inputs.view(inputs[..., 0, 0, 0].numel(), 4)  # of contiguous inputs only
            flat.sub_(0.5).mul_(3)
            return flat.reshape(*inputs.shape[:-3], 4)

    classifier, batch = wrapped(Careless().eval(), has_coding=has_coding), images()
    logits = classifier(batch)
    assert torch.equal(batch, images())
    torch.testing.assert_close(logits, 3 * (images().flatten(1) - 0.5))
    labels = torch.zeros(6, dtype=torch.long)
    attacked = rs.attacks.FGSM(eps=0.1)(classifier, images(), labels)
    step = torch.tensor([-0.1, 0.1, 0.1, 0.1]).reshape(1, 1, 2, 2)
    torch.testing.assert_close(attacked, (images() + step).clamp(0, 1))


@both
def test_random_modules_are_tried_without_touching_the_global_state(has_coding: bool) -> None:
    module = Made(lambda inputs: inputs + torch.randn_like(inputs))
    classifier = wrapped(module, has_coding=has_coding)
    before = torch.get_rng_state()
    first = classifier(images())
    torch.set_rng_state(before)
    assert torch.equal(classifier(images()), first), "trying takes no numbers from the call"
    assert module.batch_sizes == [4, 4, 6, 6], "noise depends on the batch, so neighbours are not tried"


@both
def test_what_is_no_batch_of_finite_logits_is_refused(has_coding: bool) -> None:
    with pytest.raises(DTypeError, match="must return floating-point logits, got torch.int64"):
        wrapped(Made(lambda inputs: inputs.long()), has_coding=has_coding)(images())
    with pytest.raises(InputError, match="the module returned NaN logits"):
        wrapped(Made(lambda inputs: inputs / 0 * 0), has_coding=has_coding)(images())
    with pytest.raises(InputError, match="the module returned infinite logits"):
        wrapped(Made(lambda inputs: inputs.abs() / 0), has_coding=has_coding)(images())
    with pytest.raises(InputError, match="got tuple; wrap a module that returns the logits alone"):
        wrapped(Made(lambda inputs: (inputs, None)), has_coding=has_coding)(images())
    with pytest.raises(ShapeError, match=r"must return logits \[.*4"):
        wrapped(Made(lambda inputs: inputs[..., 0]), has_coding=has_coding)(images())


def test_a_spike_that_flips_in_a_smaller_batch_is_no_dependence() -> None:
    """Rounding depends on the batch size: one of the pairs that are tried may differ."""
    whole = 3 * images().flatten(1) - 1

    def flips(inputs: Tensor) -> Tensor:
        return inputs + (len(inputs) == 2 and torch.equal(inputs, whole[:2]))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rs.wrap(Made(flips))(images())
        rs.wrap(Made(lambda inputs: inputs + len(inputs)))(images(2))  # two images are too few to tell


def test_weights_keep_their_names() -> None:
    module = nn.Sequential(nn.Flatten(2), nn.Linear(4, 3)).eval()
    classifier = rs.wrap(module, coding=rs.codings.Direct(), num_steps=2)
    assert list(classifier.state_dict()) == ["network.module.1.weight", "network.module.1.bias"]
    assert list(rs.wrap(module).state_dict()) == ["module.1.weight", "module.1.bias"]


def test_a_foreign_source_is_tried_before_its_gradients_are_taken() -> None:
    """Trying it inside a pass would mix four of its images into the statistics of the path."""

    def made() -> Any:
        layers = networks.OverTime(lambda: Activation(rs.neurons.LIF())).double()
        return rs.wrap(layers.eval(), coding=rs.codings.Direct(), num_steps=networks.NUM_STEPS)

    def crafted(*, is_known: bool) -> Tensor:
        source = made()
        if is_known:
            source(networks.images())
        transfer = rs.attacks.Transfer(eps=0.1, sources=(source,), of=rs.attacks.PGD(num_steps=3))
        path = rs.gradients.AdaptiveSharpness()
        return transfer(made(), networks.images(), networks.LABELS, gradient=path)

    assert torch.equal(crafted(is_known=False), crafted(is_known=True))
