"""Passes of a limited number of rows: the same noise, the same gradients, no pass with more rows."""

import pytest
import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn import gradients
from rsc_snn.attacks import APGD, CE, TargetedDLR
from rsc_snn.gradients import BPTT, AbstractGradient, Expectation, Memory
from rsc_snn.gradients.parts import limited_rows, logits_in_parts, noise_of_parts
from rsc_snn.registry import examples
from tests.gradients.toys import NOISY, lively, rowwise, toy_batch
from tests.helpers import seeded

PATHS: list[AbstractGradient] = examples(gradients.__name__, gradients.__path__, AbstractGradient)


def short(path: AbstractGradient) -> str:
    return repr(path)[:70]


@pytest.mark.parametrize("path", PATHS, ids=short)
def test_a_batch_in_parts_gives_the_same_slopes_and_levels(path: AbstractGradient) -> None:
    """Two steps, so that statistics count; then the next draw is the same, too."""
    images, labels = toy_batch()
    found: list[list[Tensor]] = []
    for num_rows in (64, 3, 2, 1):
        streams, memory, classifier = rs.Streams(0, "attack", range(4)), Memory(), rowwise(NOISY)
        options = {"loss": CE(), "generator": streams}
        values: list[Tensor] = []
        with limited_rows(num_rows):
            for point in (images, images + 0.05):
                slope = path.slope(classifier, point, labels, memory=memory, **options)  # type: ignore[arg-type]
                level = path.level(classifier, point, labels, **options)  # type: ignore[arg-type]
                values += [slope.gradient, slope.level.loss, slope.level.wrong, level.loss, level.wrong]
        found.append([*values, streams.uniform((3,), num_steps=1, device=images.device)])
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


def test_draws_count_as_taken_only_after_the_last_part() -> None:
    streams = rs.Streams(0, "attack", range(3))
    seen = []
    for noise in noise_of_parts(streams, [range(2), range(2, 3)]):
        assert isinstance(noise, rs.Streams)
        seen.append((noise.indices.tolist(), noise.next_draw, streams.next_draw))
        noise.skip(2)
    assert (seen, streams.next_draw) == ([([0, 1], 0, 0), ([2], 0, 0)], 2)


def sizes_of_passes(classifier: rs.SpikingClassifier) -> list[tuple[bool, int]]:
    """Filled by every pass: whether it keeps a graph, and its rows."""
    seen: list[tuple[bool, int]] = []

    def note(module: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append((torch.is_grad_enabled(), output.shape[1]))

    classifier.network.register_forward_hook(note)
    return seen


@pytest.mark.parametrize("path", [BPTT(), Expectation(num_draws=3), Expectation(num_draws=9)], ids=repr)
def test_no_pass_of_an_attack_holds_more_rows(path: AbstractGradient) -> None:
    """Twice as many where nothing is kept; the targets of a loss are chosen in such a pass."""
    classifier = lively(NOISY)
    images, labels = torch.rand(11, 1, 8, 8, generator=seeded(0)), torch.arange(11) % 10
    seen = sizes_of_passes(classifier)
    attack = APGD(eps=0.1, num_steps=2, num_restarts=2, loss=TargetedDLR())
    with limited_rows(4):
        attack(classifier, images, labels, gradient=path)
    back = [rows for keeps_graph, rows in seen if keeps_graph]
    there = [rows for keeps_graph, rows in seen if not keeps_graph]
    assert (max(back), max(there)) == ({1: 4, 3: 3, 9: 4}[path.num_passes], 8)
    assert sum(back) % (11 * path.num_passes) == 0, "every image and draw once"


def test_without_a_limit_a_single_draw_is_one_pass_and_draws_share_64_rows_or_the_batch() -> None:
    images, labels = torch.rand(70, 1, 8, 8, generator=seeded(0)), torch.arange(70) % 10
    for count, path, expected in (
        (70, BPTT(), [70]),
        (70, Expectation(num_draws=2), [70, 70]),
        (6, Expectation(num_draws=20), [60, 60]),
    ):
        classifier = lively(NOISY)
        seen = sizes_of_passes(classifier)
        streams = rs.Streams(0, "attack", range(count))
        path.loss_and_gradient(classifier, images[:count], labels[:count], loss=CE(), generator=streams)
        assert [rows for _, rows in seen] == expected


class OneNumber(torch.nn.Module):
    """Draws one number for all rows of a call."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1) + torch.rand(1)


def test_a_module_that_is_not_ours_is_not_cut() -> None:
    classifier = rs.wrap(OneNumber().eval())
    images = torch.rand(5, 1, 1, 3, generator=seeded(0))
    calls: list[int] = []
    logits_in_parts(classifier, images, rs.Streams(0, "attack", range(5)))
    for module in classifier.modules():
        if isinstance(module, OneNumber):
            module.register_forward_hook(lambda _, inputs, output: calls.append(len(output)))
    with limited_rows(2):
        logits_in_parts(classifier, images, rs.Streams(0, "attack", range(5)))
    assert calls == [5]
