"""Attacks against known optima and torchattacks; every attack keeps the promises of its base class."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

import rsc_snn as rs
from rsc_snn import attacks
from rsc_snn.attacks import APGD, CE, FGSM, L2, PGD, SAPGD, AbstractAttack, AbstractNorm, Square, Transfer
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import DTypeError, InputError, RangeError, ShapeError
from rsc_snn.gradients import BPTT
from rsc_snn.registry import examples
from tests.helpers import Linear, Smooth, seeded, small_classifier

# Transfer needs a source, and has a file of its own.
FOUND = examples(attacks.__name__, attacks.__path__, AbstractAttack)
EXAMPLES = [attack for attack in FOUND if not isinstance(attack, Transfer)]
NORMS = examples(attacks.__name__, attacks.__path__, AbstractNorm)


def linear_victim(weight: torch.Tensor) -> SpikingClassifier:
    return rs.SpikingClassifier(Linear(weight), rs.codings.Direct(), 2).eval()


def grey(batch: int = 3) -> torch.Tensor:
    return torch.full((batch, 1, 1, 3), 0.5)


LABELS = torch.zeros(3, dtype=torch.long)
WEIGHT = torch.tensor([3.0, -4.0, 0.0]).reshape(1, 1, 3)


@pytest.mark.parametrize(
    "attack",
    [
        FGSM(eps=0.1),
        PGD(eps=0.1, step_size=0.03, num_steps=4),
        PGD(eps=0.1, step_size=0.03, num_steps=4, momentum=1.0),
    ],
    ids=repr,
)
def test_the_worst_corner_of_a_linear_victim_is_reached(attack: AbstractAttack) -> None:
    found = attack(linear_victim(WEIGHT), grey(), LABELS)
    torch.testing.assert_close(found, grey() + 0.1 * WEIGHT.sign())


@pytest.mark.parametrize(
    "attack",
    [
        FGSM(eps=0.1, norm=L2()),
        PGD(eps=0.1, norm=L2(), step_size=0.03, num_steps=5),
        PGD(eps=0.1, norm=L2(), step_size=0.03, num_steps=5, momentum=0.5),
    ],
    ids=repr,
)
def test_the_worst_point_of_the_euclidean_ball_is_reached(attack: AbstractAttack) -> None:
    found = attack(linear_victim(WEIGHT), grey(), LABELS)
    torch.testing.assert_close(found, grey() + 0.1 * WEIGHT / 5)


@pytest.mark.parametrize(
    "attack",
    [
        PGD(eps=0.1, step_size=0.05, num_steps=8, random_start=True),
        PGD(eps=0.1, step_size=0.05, num_steps=8, num_restarts=3),
        APGD(eps=0.1, num_steps=20),
        APGD(eps=0.1, num_steps=20, num_restarts=2),
        SAPGD(eps=0.1, num_steps=20),
        Square(eps=0.1, num_steps=100, loss=CE()),
    ],
    ids=repr,
)
def test_a_random_start_ends_at_the_same_corner(attack: AbstractAttack) -> None:
    found = attack(linear_victim(WEIGHT), grey(), LABELS)[..., :2]  # the third pixel has no gradient
    torch.testing.assert_close(found, (grey() + 0.1 * WEIGHT.sign())[..., :2])


@pytest.mark.parametrize(
    "attack", [APGD(eps=0.1, norm=L2(), num_steps=40), SAPGD(eps=0.1, norm=L2(), num_steps=40)], ids=repr
)
def test_a_random_start_ends_at_the_same_point_of_the_euclidean_ball(attack: AbstractAttack) -> None:
    found = attack(linear_victim(WEIGHT), grey(), LABELS)
    torch.testing.assert_close(found, grey() + 0.1 * WEIGHT / 5, rtol=0, atol=1e-4)


def test_too_few_steps_stop_short() -> None:
    found = PGD(eps=0.1, step_size=0.03, num_steps=2)(linear_victim(WEIGHT), grey(), LABELS)
    torch.testing.assert_close(found, grey() + 0.06 * WEIGHT.sign())


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("eps", [2 / 255, 8 / 255, 0.2])
def test_fgsm_and_pgd_equal_torchattacks(eps: float) -> None:
    torchattacks = pytest.importorskip("torchattacks")
    model = Smooth()
    images = torch.rand(20, 3, 6, 6, generator=seeded(1), dtype=torch.float64)
    labels = torch.randint(0, 5, (20,), generator=seeded(2))
    classifier = rs.wrap(model)
    pairs = [
        (FGSM(eps=eps), torchattacks.FGSM(model, eps=eps)),
        (PGD(eps=eps), torchattacks.PGD(model, eps=eps, alpha=0.01, steps=7, random_start=False)),
        (
            PGD(eps=eps, step_size=2 / 255, num_steps=20),
            torchattacks.PGD(model, eps=eps, alpha=2 / 255, steps=20, random_start=False),
        ),
    ]
    momentum = PGD(eps=eps, step_size=2 / 255, num_steps=10, momentum=0.9)
    pairs.append((momentum, torchattacks.MIFGSM(model, eps=eps, alpha=2 / 255, steps=10, decay=0.9)))
    for ours, theirs in pairs:
        found = ours(classifier, images, labels)
        assert float((found - images).abs().max()) > 0.9 * min(eps, 7 * 0.01)
        torch.testing.assert_close(found, theirs(images, labels), rtol=0, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS, ids=repr)
@pytest.mark.parametrize("attack", EXAMPLES, ids=repr)
class TestEveryAttack:
    def test_stays_in_the_ball_and_in_the_range(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        attack = replace(attack, norm=norm, eps=0.05)
        images = torch.rand(4, 1, 8, 8, generator=seeded(0)).round(decimals=1).clamp(0, 1)
        classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
        found = attack(classifier, images, torch.tensor([1, 2, 3, 4]))
        assert found.shape == images.shape
        assert float(found.min()) >= 0
        assert float(found.max()) <= 1
        assert float(norm.size(found - images).max()) <= 0.05 + 1e-6
        assert float(norm.size(found - images).max()) > 0.01

    def test_leaves_everything_as_it_was(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        classifier = small_classifier(rs.codings.Poisson()).train()
        classifier.network.layers.features[0].eval()  # type: ignore[union-attr, index]
        modes = [module.training for module in classifier.modules()]
        state = {name: value.clone() for name, value in classifier.state_dict().items()}
        images, before = torch.rand(4, 1, 8, 8), torch.get_rng_state()
        kept = images.clone()
        attack(classifier, images, torch.tensor([1, 2, 3, 4]))
        assert [module.training for module in classifier.modules()] == modes
        assert all(torch.equal(value, state[name]) for name, value in classifier.state_dict().items())
        assert all(parameter.grad is None for parameter in classifier.parameters())
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(images, kept)

    def test_is_repeatable_and_keyed_by_image(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).double()
        images = torch.rand(7, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
        labels = torch.arange(7)
        whole = attack(classifier, images, labels)
        assert torch.equal(attack(classifier, images, labels), whole)
        alone = attack(classifier, images[5:6], labels[5:6], generator=rs.Streams(0, "attack", [5]))
        torch.testing.assert_close(alone, whole[5:6], rtol=0, atol=1e-12)
        other = attack(classifier, images, labels, generator=seeded(1))
        assert not torch.equal(other, whole)

    def test_is_keyed_by_image_without_noise(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        """Also where some images are lost at once and others never."""
        attack = replace(attack, norm=norm, eps=0.1)
        classifier = small_classifier().double()
        images = torch.rand(7, 1, 8, 8, generator=seeded(0), dtype=torch.float64)
        answers = classifier.logits(images).argmax(1)
        labels = torch.where(torch.arange(7) < 3, answers, (answers + 1) % 10)
        whole = attack.attempt(classifier, images, labels, gradient=BPTT(), generator=None)
        for one in (1, 5):
            rows, streams = slice(one, one + 1), rs.Streams(0, "attack", [one])
            alone = attack.attempt(classifier, images[rows], labels[rows], gradient=BPTT(), generator=streams)
            torch.testing.assert_close(alone.images, whole.images[rows], rtol=0, atol=1e-12)
            for (name, points), (other_name, others) in zip(alone.others, whole.others, strict=True):
                assert name == other_name
                torch.testing.assert_close(points, others[rows], rtol=0, atol=1e-12)

    def test_says_what_it_costs(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        """The passes of a network that never errs are those that cost promises."""
        passes: list[bool] = []
        classifier = small_classifier()
        images = torch.rand(2, 1, 8, 8, generator=seeded(0))
        labels = classifier.logits(images).argmax(1)
        network = classifier.network
        network.register_forward_pre_hook(lambda module, inputs: passes.append(inputs[0].requires_grad))
        replace(attack, norm=norm, eps=0.0)(classifier, images, labels)
        assert (sum(passes), len(passes) - sum(passes)) == (attack.cost.slopes, attack.cost.levels)

    def test_reaches_its_ball(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        assert attack.reach >= attack.eps

    def test_works_without_gradient_tracking(self, attack: AbstractAttack, norm: AbstractNorm) -> None:
        classifier, labels = small_classifier(), torch.tensor([1, 2])
        images = torch.rand(2, 1, 8, 8, generator=seeded(0))
        expected = attack(classifier, images, labels)
        with torch.no_grad():
            assert torch.equal(attack(classifier, images, labels), expected)
        with torch.inference_mode():
            assert torch.equal(attack(classifier, images, labels), expected)


def test_the_mode_is_restored_after_an_error() -> None:
    classifier = small_classifier().train()
    with pytest.raises(ShapeError):
        FGSM(eps=0.1)(classifier, torch.rand(2, 1, 12, 12), torch.tensor([1, 2]))
    assert classifier.training


def test_noise_is_fresh_at_every_step() -> None:
    seen: list[torch.Tensor] = []
    classifier = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    classifier.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach()))
    PGD(eps=1e-9, step_size=1e-10)(classifier, torch.full((1, 1, 8, 8), 0.5), torch.tensor([3]))
    assert len(seen) == 7
    for first, second in itertools.pairwise(seen):
        assert float((first - second).abs().mean()) > 0.1


@pytest.mark.parametrize("eps", [8.0, -1.0, math.nan, math.inf])
def test_eps_outside_pixel_units_is_refused(eps: float) -> None:
    with pytest.raises(RangeError, match="eps"):
        FGSM(eps=eps)


@pytest.mark.usefixtures("unchecked")
def test_eps_8_says_what_was_meant() -> None:
    with pytest.raises(RangeError, match=r"at most 1 in linf, got 8; did you mean 8/255\?"):
        PGD(eps=8)


def test_l2_radii_above_the_diagonal_are_refused() -> None:
    attack = FGSM(eps=9.0, norm=L2())
    with pytest.raises(RangeError, match="at most 8 in l2, got 9"):
        attack(small_classifier(), torch.rand(1, 1, 8, 8), torch.tensor([1]))


@pytest.mark.usefixtures("unchecked")
def test_bad_input_is_refused() -> None:
    classifier, images = small_classifier(), torch.rand(2, 1, 8, 8)
    with pytest.raises(InputError, match=r"wrap other modules with rs\.wrap"):
        FGSM(eps=0.1)(torch.nn.Flatten(), images, torch.tensor([1, 2]))  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="labels must be int64"):
        FGSM(eps=0.1)(classifier, images, torch.tensor([1, 2], dtype=torch.int32))
    with pytest.raises(ShapeError, match="one per image"):
        FGSM(eps=0.1)(classifier, images, torch.tensor([1]))
    with pytest.raises(RangeError, match="step_size must be > 0"):
        PGD(eps=0.1, step_size=0.0)
    with pytest.raises(RangeError, match="num_steps must be at least 1"):
        PGD(eps=0.1, num_steps=0)


class Detached(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.detach().flatten(1)


def test_a_network_without_a_path_to_the_image_is_an_error_not_a_result() -> None:
    with pytest.raises(InputError, match="do not depend on the images"):
        FGSM(eps=0.1)(rs.wrap(Detached()), torch.rand(2, 1, 2, 2), torch.tensor([1, 2]))
