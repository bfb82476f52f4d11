"""Transfer: the source is attacked in the victim's place; what was made on a run is kept beside it."""

import functools
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import rsc_snn as rs
from rsc_snn.attacks import APGD, CE, DLR, FGSM, L2, PGD, AbstractAttack, Attempt, Transfer
from rsc_snn.attacks.sources import GivenSource, SavedSource, as_source
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.gradients import BPTT, AbstractGradient, AdaptiveSharpness, Expectation
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import save_weights
from tests.helpers import Linear, seeded, small_classifier

RSC = rs.codings.RandomizedSmoothing(variance=0.1)
SEARCH = PGD(eps=0.1, step_size=0.04, num_steps=3)
LABELS = torch.tensor([1, 2, 3, 4, 5])
IMAGES = torch.rand(5, 1, 8, 8, generator=seeded(3))


def streams(indices: Any = range(5), *, seed: int = 0) -> rs.Streams:
    return rs.Streams(seed, "attack", indices)


@functools.cache
def network(seed: int, coding: rs.codings.AbstractCoding | None = None) -> SpikingClassifier:
    return small_classifier(coding, seed=seed)


def attempt(
    attack: AbstractAttack,
    classifier: nn.Module,
    *,
    path: AbstractGradient = BPTT(),
    rows: slice = slice(None),
    seed: int = 0,
) -> Attempt:
    assert isinstance(classifier, rs.classifier.AbstractClassifier)
    noise = streams(torch.arange(5)[rows], seed=seed)
    return attack.attempt(classifier, IMAGES[rows], LABELS[rows], gradient=path, generator=noise)


def require_equal(found: Attempt, expected: Attempt) -> None:
    assert torch.equal(found.images, expected.images)
    assert [name for name, _ in found.others] == [name for name, _ in expected.others]
    for (_, points), (_, other) in zip(found.others, expected.others, strict=True):
        assert torch.equal(points, other)
    assert torch.equal(found.is_blind, expected.is_blind)


@pytest.mark.parametrize("search", [SEARCH, APGD(eps=0.1, num_steps=4)], ids=repr)
@pytest.mark.parametrize("coding", [rs.codings.Direct(), RSC], ids=["direct", "rsc"])
def test_one_source_is_attacked_and_the_victim_is_never_asked(
    search: AbstractAttack, coding: rs.codings.AbstractCoding
) -> None:
    source, victim = network(1, coding), small_classifier(seed=2)
    victim.register_forward_hook(lambda *_: pytest.fail("the victim was called"))
    victim.network.register_forward_hook(lambda *_: pytest.fail("the victim was called"))
    found = attempt(Transfer(eps=0.1, sources=(source,), of=search), victim)
    require_equal(found, attempt(search, source))
    assert float((found.images - IMAGES).abs().max()) == pytest.approx(0.1)


def line(weight: list[float]) -> SpikingClassifier:
    return SpikingClassifier(Linear(torch.tensor([[weight]])), rs.codings.Direct(), 1).eval()


def test_of_several_sources_each_image_gets_what_the_victim_loses_most_by() -> None:
    """The victim sees pixel 0 for a dark image, pixel 1 for a bright one: its loss is known by hand."""

    class Either(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            first, second = images[:, 0, 0].unbind(-1)
            score = torch.where(first + second < 1, first, second)
            return torch.stack([-score, score], dim=-1)

    victim = rs.wrap(Either()).eval()
    images = torch.tensor([[0.2, 0.2], [0.8, 0.8], [0.3, 0.1]]).reshape(3, 1, 1, 2)
    labels = torch.zeros(3, dtype=torch.long)  # so that a higher score is worse
    attack = Transfer(eps=0.1, sources=(line([1.0, -1.0]), line([-1.0, 1.0])), of=FGSM())
    found = attack.attempt(victim, images, labels, gradient=BPTT(), generator=streams(range(3)))
    first, second = torch.tensor([0.1, -0.1]), torch.tensor([-0.1, 0.1])
    expected = images + torch.stack([first, second, first]).reshape(3, 1, 1, 2)
    torch.testing.assert_close(found.images, expected)
    others = dict(found.others)
    torch.testing.assert_close(others["answer"], images + first)
    torch.testing.assert_close(others["answer 2"], images + second)


def test_eps_and_norm_of_the_search_are_those_of_the_attack() -> None:
    attack = Transfer(eps=0.5, norm=L2(), sources=(network(1),), of=PGD(eps=0.1, num_steps=2, step_size=0.2))
    found = attempt(attack, network(2))
    assert float(L2().size(found.images - IMAGES).max()) <= 0.4 + 1e-5
    assert attack.reach == pytest.approx(0.4)


def draws_per_slope(source: nn.Module, path: AbstractGradient) -> int:
    """Rows that one gradient of one image passes through the source."""
    rows: list[int] = []
    handle = source.network.register_forward_hook(  # type: ignore[union-attr]
        lambda module, inputs, output: rows.append(output.shape[1]) if torch.is_grad_enabled() else None
    )
    attempt(Transfer(eps=0.1, sources=(source,), of=FGSM()), network(2), path=path, rows=slice(1))
    handle.remove()
    return sum(rows)


def test_expectation_is_over_the_noise_of_the_source_and_needs_one_draw_without() -> None:
    path = Expectation(of=BPTT(), num_draws=7)
    assert draws_per_slope(network(1, RSC), path) == 7
    assert draws_per_slope(network(1), path) == 1
    many, one = (
        attempt(Transfer(eps=0.1, sources=(network(1),)), network(2), path=p) for p in (path, BPTT())
    )
    require_equal(many, one)


def test_a_path_that_does_not_fit_the_victim_is_for_the_source() -> None:
    victim = rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 10))).eval()
    found = attempt(Transfer(eps=0.1, sources=(network(1),)), victim, path=AdaptiveSharpness())
    require_equal(found, attempt(PGD(eps=0.1), network(1), path=AdaptiveSharpness()))


def test_a_source_in_training_mode_is_attacked_in_eval_mode_and_restored() -> None:
    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.linear = nn.BatchNorm1d(64), nn.Linear(64, 10)
            self.drop = nn.Dropout(0.5)

        def forward(self, images: Tensor) -> Tensor:
            logits: Tensor = self.linear(self.drop(self.norm(images.flatten(1))))
            return logits

    module = Normed().eval()
    path = Expectation(of=BPTT(), num_draws=3)
    expected = attempt(PGD(eps=0.1), rs.wrap(module))
    source = rs.wrap(module.train())
    module.norm.eval()  # a mode of its own
    before = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [part.training for part in source.modules()]
    require_equal(attempt(Transfer(eps=0.1, sources=(source,)), network(2), path=path), expected)
    assert [part.training for part in source.modules()] == modes
    assert modes.count(False) == 1
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    module.norm.train()
    attempt(Transfer(eps=0.1, sources=(source,)), network(2), path=path)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.requires_grad for parameter in module.parameters())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rs.save(tmp_path / "source", network(1, RSC), data="digits")
    return tmp_path / "source"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Numbers of images that were attacked on a source, call by call."""
    calls: list[int] = []
    original = Transfer._made

    def spy(self: Transfer, source: Any, images: Tensor, *args: Any) -> Attempt:
        calls.append(len(images))
        return original(self, source, images, *args)

    monkeypatch.setattr(Transfer, "_made", spy)
    return calls  # type: ignore[return-value]


def test_candidates_of_a_run_are_made_once_and_shown_to_every_victim(run: Path, made: list[int]) -> None:
    attack = Transfer(eps=0.1, sources=(run,), of=SEARCH)
    found = attempt(attack, network(2))
    assert made == [5]
    require_equal(found, attempt(SEARCH, rs.load(run)))
    require_equal(attempt(attack, network(3)), found)
    few = attempt(attack, network(2), rows=slice(1, 3))
    assert torch.equal(few.images, found.images[1:3])
    assert made == [5], "another victim, and some of the images"
    assert len(list((run / "transfer").rglob("*.safetensors"))) == 5


def test_what_is_missing_is_made_and_joined_with_what_is_kept(run: Path, made: list[int]) -> None:
    attack = Transfer(eps=0.1, sources=(run,), of=APGD(num_steps=3))
    attempt(attack, network(2), rows=slice(1, 4, 2))
    whole = attempt(attack, network(2))
    assert made == [2, 3]
    fresh = attempt(Transfer(eps=0.1, sources=(rs.load(run),), of=APGD(num_steps=3)), network(2))
    assert made == [2, 3, 5]
    torch.testing.assert_close(whole.images, fresh.images)
    assert [name for name, _ in whole.others] == [name for name, _ in fresh.others] == ["start", "last"]


def test_everything_that_matters_makes_them_anew(run: Path, made: list[int]) -> None:
    attack = Transfer(eps=0.1, sources=(run,), of=SEARCH)
    first = attempt(attack, network(2))
    attempt(attack, network(2), seed=1)
    attempt(Transfer(eps=0.09, sources=(run,), of=SEARCH), network(2))
    attempt(Transfer(eps=0.1, sources=(run,), of=PGD(num_steps=2)), network(2))
    attempt(Transfer(eps=0.1, sources=(run,), of=PGD(num_steps=2, loss=DLR())), network(2))
    attempt(attack, network(2), path=AdaptiveSharpness())
    attempt(attack, network(2), path=Expectation(num_draws=2))
    attack.attempt(network(2), IMAGES, LABELS + 1, gradient=BPTT(), generator=streams())
    attack.attempt(network(2), IMAGES * 0.9, LABELS, gradient=BPTT(), generator=streams())
    attack.attempt(network(2), IMAGES, LABELS, gradient=BPTT(), generator=streams(range(5, 10)))
    attack.attempt(network(2), IMAGES, LABELS, gradient=BPTT(), generator=seeded(0))
    assert made == [5] * 11
    attempt(attack, network(2))
    assert made == [5] * 11
    save_weights(RunFolder(run), network(4, RSC))
    other = attempt(attack, network(2))
    assert made == [5] * 12, "other weights"
    assert not torch.equal(other.images, first.images)
    require_equal(other, attempt(SEARCH, network(4, RSC)))


def test_a_source_that_cannot_be_written_to_is_attacked_all_the_same(
    run: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:  # whom permissions do not stop
        (run / "transfer").write_text("in the way of a folder")
    else:
        run.chmod(0o500)
    attack = Transfer(eps=0.1, sources=(run,), of=SEARCH)
    require_equal(attempt(attack, network(2)), attempt(SEARCH, rs.load(run)))
    attempt(attack, network(2))
    assert made == [5, 5]
    run.chmod(0o700)


def test_weights_are_read_once_until_they_change(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    original = hashlib.file_digest

    def spy(file: Any, name: str) -> Any:
        reads.append(file.name)
        return original(file, name)

    monkeypatch.setattr(hashlib, "file_digest", spy)
    source = SavedSource(run=str(run))
    first = source.digest()
    assert [source.digest() for _ in range(3)] == [first] * 3
    assert len(reads) == 1
    save_weights(RunFolder(run), network(4, RSC))
    assert source.digest() != first
    assert len(reads) == 2
    copy = run.parent / "copy"
    shutil.copytree(run, copy)
    assert SavedSource(run=str(copy)).digest() == source.digest(), "wherever it stands"


def test_a_given_source_has_a_digest_of_its_own() -> None:
    first, same, other = (GivenSource(given=small_classifier(seed=seed)) for seed in (1, 1, 2))
    assert first.digest() == same.digest() != other.digest()
    assert first.folder is None
    assert repr(Transfer(sources=(first,))) == repr(Transfer(sources=(same,)))
    assert repr(Transfer(sources=(first,))) != repr(Transfer(sources=(other,))), "rows tell weights apart"


@pytest.mark.usefixtures("unchecked")
def test_bad_sources_are_refused(tmp_path: Path, run: Path) -> None:
    with pytest.raises(InputError, match="at least one source, got none"):
        attempt(Transfer(), network(2))
    with pytest.raises(RunFolderError, match="is not a run folder"):
        Transfer(sources=(tmp_path / "nowhere",))
    with pytest.raises(InputError, match="a source is a classifier or the path of a run folder, got 3"):
        as_source(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"wrap other modules with rs\.wrap"):
        Transfer(sources=(nn.Flatten(),))
    with pytest.raises(InputError, match="got another Transfer"):
        Transfer(of=Transfer(sources=(run,)))
    with pytest.raises(InputError, match=r"set of=PGD\(loss=DLR\(\)\)"):
        Transfer(loss=DLR())
    assert Transfer(loss=CE()).of == PGD()


def test_sources_of_other_images_or_classes_are_refused_before_the_attack() -> None:
    few = rs.wrap(nn.Sequential(nn.Flatten(), nn.Linear(64, 3))).eval()
    wide = rs.networks.VGG5(hidden_width=16).build(num_classes=10, image_shape=(3, 8, 8))
    coloured = SpikingClassifier(wide, rs.codings.Direct(), 2).eval()
    for source, message in (
        (few, "has 3 classes, the victim 10"),
        (coloured, "cannot stand in for the victim"),
    ):
        attack = Transfer(eps=0.1, sources=(network(1), source))
        with pytest.raises(InputError, match=message):
            rs.evaluate(network(2), IMAGES, LABELS, attacks=[attack])
        with pytest.raises(InputError, match=message):
            rs.evaluate(network(2), IMAGES, LABELS, attacks=rs.attacks.reliable(sources=(source,)))
