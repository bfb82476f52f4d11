"""Networks in Norse's manner: state is passed in and out, and the threshold is chosen by name.

Norse itself is compared with where it is installed; it is no part of the development environment. The
stand-in has the shape of its cells: ``cell(current, state) -> (spikes, state)``, None for rest.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.errors import InputError
from rsc_snn.gradients.sites import find_sites
from rsc_snn.gradients.sites.foreign import unreplaceable
from tests.helpers import seeded

NUM_STEPS = 4


class Threshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return (u > 0).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (u,) = ctx.saved_tensors
        slope: Tensor = grads[0] / (1 + 10 * u.abs()) ** 2
        return slope


class Cell(nn.Module):
    def forward(self, current: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        membrane = current if state is None else 0.5 * state + current
        spikes: Tensor = Threshold.apply(membrane - 0.3)  # type: ignore[no-untyped-call]
        return spikes, membrane * (1 - spikes)


class Unrolled(nn.Module):
    """Images -> logits, with the state in a local variable."""

    def __init__(self, cell: nn.Module):
        super().__init__()
        self.first, self.cell, self.last = nn.Linear(6, 12), cell, nn.Linear(12, 4)
        with torch.no_grad():
            for layer in (self.first, self.last):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=seeded(0)))
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        state, total = None, torch.zeros(())
        for _ in range(NUM_STEPS):
            spikes, state = self.cell(self.first(images.flatten(1)), state)
            total = total + self.last(spikes)
        return total


def images() -> Tensor:
    return torch.rand(5, 1, 2, 3, generator=seeded(1))


def test_explicit_state_needs_no_reset_and_its_threshold_is_out_of_reach() -> None:
    classifier = rs.wrap(Unrolled(Cell()))
    assert torch.equal(classifier(images()), classifier(images()))
    assert find_sites(classifier) == []
    assert unreplaceable(classifier, images()) == ["Threshold"]


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_networks_of_norse_behave_like_the_stand_in() -> None:
    norse = pytest.importorskip("norse.torch")
    classifier = rs.wrap(Unrolled(norse.LIFCell()))
    assert torch.equal(classifier(images()), classifier(images()))
    assert find_sites(classifier) == []
    assert unreplaceable(classifier, images()) == ["SuperSpike"]
    whole = norse.SequentialState(nn.Flatten(), nn.Linear(6, 4), norse.LIFCell()).eval()
    with pytest.raises(InputError, match="wrap a module that returns the logits alone"):
        rs.wrap(whole)(images())


def test_a_function_that_no_gradient_passes_is_not_named() -> None:
    """Custom functions of weights, and of what is detached, are not between images and logits."""

    class Weights(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 6, generator=seeded(0)))

        def forward(self, images: Tensor) -> Tensor:
            flat = images.flatten(1)
            weight, gate = Threshold.apply(self.weight), Threshold.apply(flat.detach())  # type: ignore[no-untyped-call]
            logits: Tensor = nn.functional.linear(flat * gate, weight).relu()
            return logits

    assert unreplaceable(rs.wrap(Weights().eval()), images()) == []
    own = rs.SpikingClassifier(
        rs.networks.VGG5(hidden_width=16).build(image_shape=(1, 8, 8), generator=seeded(0)),
        rs.codings.RandomizedSmoothing(variance=0.1),
        2,
    ).eval()
    assert unreplaceable(own, torch.rand(2, 1, 8, 8)) == []
