"""Foreign modules: their shapes, their mode, their randomness."""

import pytest
import torch
from torch import nn

import rsc_snn as rs
from rsc_snn.errors import InputError, RangeError, ShapeError
from tests.helpers import Noisy, Smooth, seeded, small_classifier


def test_logits_pass_through_as_a_single_step() -> None:
    model = Smooth()
    images = torch.rand(4, 3, 6, 6, generator=seeded(0), dtype=torch.float64)
    classifier = rs.wrap(model)
    assert classifier.logits_over_time(images).shape == (1, 4, 5)
    assert torch.equal(classifier(images), model(images))
    assert not classifier.varies(images)


def test_a_module_over_time_gets_a_current() -> None:
    class OverTime(nn.Module):
        def forward(self, current: torch.Tensor) -> torch.Tensor:
            assert current.shape == (3, 4, 1, 2, 2)
            return current.flatten(2)

    classifier = rs.wrap(OverTime(), coding=rs.codings.Poisson(), num_steps=3)
    images = torch.rand(4, 1, 2, 2, generator=seeded(0))
    assert classifier.logits_over_time(images).shape == (3, 4, 4)
    assert classifier.varies(images)
    encoded = rs.codings.Poisson().encode(images, 3, generator=rs.Streams(0, "score", range(4)))
    logits = classifier.logits_over_time(images, rs.Streams(0, "score", range(4)))
    assert torch.equal(logits, encoded.flatten(2)), "a wrapped module sees the same noise as our own"


def test_the_wrapper_starts_in_the_mode_of_the_module() -> None:
    assert not rs.wrap(Smooth().eval()).training
    assert rs.wrap(Smooth().train()).training


def test_ambient_randomness_is_fresh_repeatable_and_separate() -> None:
    classifier = rs.wrap(Noisy(0.5)).eval()
    images = torch.zeros(200, 1, 2, 2)
    before = torch.get_rng_state()
    streams = rs.Streams(0, "score", range(200))
    first, second = classifier(images), classifier(images)
    assert not torch.equal(first, second), "without a generator the global one is used"
    torch.set_rng_state(before)
    first, second = classifier.logits(images, streams), classifier.logits(images, streams)
    assert not torch.equal(first, second), "every call takes a draw of its own"
    assert torch.equal(classifier.logits(images, rs.Streams(0, "score", range(200))), first)
    other = classifier.logits(images, rs.Streams(0, "attack", range(200)))
    assert not torch.equal(other, first), "attack and score never share noise"
    classifier.logits(images, seeded(0))
    assert torch.equal(torch.get_rng_state(), before)
    assert classifier.varies(images)


class NoisyOverTime(nn.Module):
    """Draws noise of its own on top of a current."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(1)
        self.seen.append(float(noise))
        return (current + noise).flatten(2)


@pytest.mark.parametrize("coding", [rs.codings.Direct(), rs.codings.Poisson()], ids=repr)
@pytest.mark.parametrize("wrapped", [True, False])
def test_noise_inside_a_module_is_fresh_at_every_step_of_an_attack(
    coding: rs.codings.AbstractCoding, wrapped: bool
) -> None:
    module = NoisyOverTime().eval()
    made = rs.wrap(module, coding=coding, num_steps=2) if wrapped else rs.SpikingClassifier(module, coding, 2)
    classifier = made.eval()
    before = torch.get_rng_state()
    images = torch.rand(3, 1, 2, 2, generator=seeded(0))
    rs.attacks.PGD(eps=0.05)(classifier, images, torch.tensor([0, 1, 2]))
    assert len(set(module.seen)) == 8, "seven steps, and a look at the number of classes"
    assert torch.equal(torch.get_rng_state(), before)
    assert classifier.varies(images)


def test_a_coding_that_is_certain_about_black_and_white_is_still_random() -> None:
    images = torch.tensor([0.0, 1.0]).repeat(4, 8).reshape(4, 1, 4, 4)

    class Hidden(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (torch.rand_like(images) < images).to(images.dtype).flatten(1)

    class OverTime(nn.Module):
        def forward(self, current: torch.Tensor) -> torch.Tensor:
            return current.flatten(2)

    assert rs.wrap(Hidden()).varies(images)
    assert rs.wrap(OverTime(), coding=rs.codings.Poisson(), num_steps=2).varies(images)
    assert not rs.wrap(OverTime(), coding=rs.codings.Direct(), num_steps=2).varies(images)


def test_a_thresholded_input_cannot_be_attacked_by_bptt() -> None:
    class Steep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.linear((images > 0.5).float().flatten(1))
            return logits

    with pytest.raises(InputError, match="do not depend on the images"):
        rs.attacks.FGSM(eps=0.1)(rs.wrap(Steep()), torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))


@pytest.mark.usefixtures("unchecked")
def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="is a classifier already"):
        rs.wrap(small_classifier())
    with pytest.raises(InputError, match=r"expected a torch\.nn\.Module, got function"):
        rs.wrap(lambda x: x)  # type: ignore[arg-type]
    with pytest.raises(RangeError, match="num_steps must be 1 without a coding, got 4"):
        rs.wrap(Smooth(), num_steps=4)
    with pytest.raises(ShapeError, match=r"must return logits \[2, K\], got \[2, 1, 2, 2\]"):
        rs.wrap(nn.Identity())(torch.rand(2, 1, 2, 2))

    class Pair(nn.Module):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, None]:
            return images, None

    with pytest.raises(InputError, match="must return a tensor of logits, got tuple"):
        rs.wrap(Pair())(torch.rand(2, 1, 2, 2))
