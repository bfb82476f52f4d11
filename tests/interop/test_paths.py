"""Which gradient paths a classifier can be differentiated by."""

import pytest
import torch
from torch import nn

import rsc_snn as rs
from rsc_snn import gradients
from rsc_snn.errors import InputError
from rsc_snn.gradients import BPTT, Obstacle
from rsc_snn.interop import available_paths, describe
from tests.helpers import Noisy, Smooth, small_classifier
from tests.interop.test_norse import Cell, Unrolled, images


def test_every_kind_of_path_is_listed_once() -> None:
    paths = dict(available_paths(small_classifier(), torch.rand(2, 1, 8, 8)))
    discovered = {name for name, value in vars(gradients).items() if name in paths and value}
    assert discovered == set(paths)
    assert {"BPTT", "Expectation"} <= set(paths)
    assert paths["BPTT"] is None


def test_reasons_are_those_of_the_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def obstacle(self: BPTT, classifier: nn.Module, images: torch.Tensor) -> Obstacle:
        modes.append(classifier.training)
        return Obstacle("no spiking neuron", weakens=False)

    monkeypatch.setattr(BPTT, "obstacle", obstacle)
    classifier = small_classifier().train()
    assert dict(available_paths(classifier, torch.rand(2, 1, 8, 8)))["BPTT"] == "no spiking neuron"
    assert not any(modes)
    assert classifier.training
    assert "\n  BPTT: not applicable: no spiking neuron" in describe(classifier, torch.rand(2, 1, 8, 8))


def test_a_description_names_what_was_found() -> None:
    own = describe(small_classifier(), torch.rand(2, 1, 8, 8)).splitlines()
    assert own[:5] == [
        "answers: the same at every call",
        "modules reset around every call: 0",
        "layers whose spikes can be differentiated otherwise: 5",
        "functions with a derivative out of reach: none",
        "gradient paths:",
    ]
    assert "  BPTT: available" in own
    foreign = describe(rs.wrap(Unrolled(Cell())), images())
    assert "differentiated otherwise: 0\n" in foreign
    assert "out of reach: Threshold\n" in foreign
    assert "answers: vary from call to call" in describe(rs.wrap(Noisy(0.5)).eval(), torch.zeros(2, 1, 2, 2))


@pytest.mark.usefixtures("unchecked")
def test_modules_are_wrapped_first() -> None:
    with pytest.raises(InputError, match=r"wrap other modules with rs\.wrap"):
        describe(Smooth(), torch.rand(2, 3, 6, 6))  # type: ignore[arg-type]
