"""What an observation of a run folder leaves, and that it is made once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ttest_rel

import rsc_snn as rs
from rsc_snn.attacks import PGD
from rsc_snn.data import ImageSet
from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.evaluation.judge import collect_votes
from rsc_snn.networks.folding import folded
from rsc_snn.observing import run as observing
from rsc_snn.observing.conditions import conditions
from rsc_snn.observing.counting import count_activity
from rsc_snn.observing.examples import Wanted, choose_images, loudest_neurons, make_examples, spread_neurons
from rsc_snn.observing.recording import record
from rsc_snn.observing.run import observe_run
from rsc_snn.rng import Streams
from rsc_snn.runs.activity_schema import require_activity_rows
from rsc_snn.runs.examples import Examples, read_examples, write_examples
from rsc_snn.runs.files import append_rows, read_environments, replace_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load, save
from tests.helpers import small_classifier
from tests.observing.networks import settled

EPS = 8 / 255
OPTIONS: dict[str, Any] = {"limit": 20, "num_examples": 3, "num_draws": 4}
NOISY = rs.codings.RandomizedSmoothing(variance=0.05)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("observed") / "run")
    save(folder.path, small_classifier(NOISY, num_steps=3), data="digits")
    observe_run(folder.path, **OPTIONS)
    return folder


def examples_of(folder: RunFolder) -> Examples:
    found = read_examples(folder.examples)
    assert found is not None
    return found


def test_a_row_stands_there_for_each_condition_and_layer(observed: RunFolder) -> None:
    rows = observed.activity_rows()
    layers = ["features.0", "features.2", "features.3", "hidden.0", "hidden.1", "readout"]
    keys = [(row["condition"], row["layer"]) for row in rows]
    assert keys == [(name, layer) for name in ("clean", "PGD", "noise") for layer in layers]
    assert {row["attack"] for row in rows[6:12]} == {repr(PGD(eps=EPS))}
    assert {(row["num_images"], row["num_steps"], row["limit"], row["seed"]) for row in rows} == {
        (20, 3, 20, 0)
    }
    (entry,) = read_environments(observed.environment)
    assert entry["subject"] == rows[0]["subject"]


def test_rows_are_those_of_one_pass_with_the_same_noise(observed: RunFolder) -> None:
    """Two batches of images, and the noise of each image, are those of one call with all of them."""
    images = rs.data.load("digits", None, "test").at(slice(20))
    classifier = load(observed.path)
    noise = Streams(0, "observe", images.indices)
    layers = count_activity(classifier, images.pixels(), noise)
    for row, layer in zip(observed.activity_rows(), layers, strict=False):
        assert row["accumulates"][0] == pytest.approx(float(layer.accumulates.mean()), rel=1e-4)
        assert row["connections"] == layer.connections
        if layer.rates is not None:
            assert row["rate"][0] == pytest.approx(float(layer.rates.mean()), rel=1e-4)
            assert row["silent"] == pytest.approx(float((~layer.fired).double().mean()), abs=0.01)


def test_a_change_is_that_of_the_same_images(observed: RunFolder) -> None:
    rows = observed.activity_rows()
    clean = {row["layer"]: row for row in rows if row["condition"] == "clean"}
    assert all(row["change"] is None for row in clean.values())
    images = rs.data.load("digits", None, "test").at(slice(20)).fetch()
    classifier = load(observed.path)
    classifier.network = folded(classifier.network)
    before, after = (
        count_activity(
            classifier,
            condition.images(classifier, images, seed=0),
            Streams(0, "observe", images.indices),
        )
        for condition in conditions(EPS)[:2]
    )
    for row, clean_layer, layer in zip(rows[6:11], before, after, strict=False):
        assert layer.rates is not None
        assert clean_layer.rates is not None
        found = ttest_rel(layer.rates.numpy(), clean_layer.rates.numpy())
        interval = found.confidence_interval(0.95)
        expected = [float((layer.rates - clean_layer.rates).mean()), interval.low, interval.high]
        assert row["change"] == pytest.approx(expected, abs=1e-4)
        assert row["change"][0] == pytest.approx(row["rate"][0] - clean[row["layer"]]["rate"][0])
    assert any(abs(row["change"][0]) > 1e-3 for row in rows[6:11])


def test_examples_are_what_they_say(observed: RunFolder) -> None:
    examples, full = examples_of(observed), rs.data.load("digits", None, "test")
    facts = examples.facts
    images = full.at(torch.tensor(facts.indices)).fetch()
    assert len(set(facts.labels)) == 3
    assert list(facts.labels) == images.labels.tolist()
    assert np.array_equal(examples.pictures["clean"] * 255, images.images.numpy())
    perturbation = examples.pictures["attacked"] - examples.pictures["clean"]
    assert EPS * 0.9 < np.abs(perturbation).max() < EPS + 1e-3
    coded = NOISY.encode(images.pixels(), 3, generator=Streams(0, "observe", images.indices))
    assert np.allclose(examples.pictures["coded"], coded[0], atol=0.5 / 255 + 1e-6)
    assert np.allclose(examples.pictures["coded_mean"], coded.mean(0), atol=0.5 / 255 + 1e-6)
    votes = collect_votes(
        load(observed.path), images.pixels(), images.labels, indices=images.indices, seed=0,
        purpose="observe score", num_draws=4, draw_chunk=4,
    )  # fmt: skip
    assert [list(counts) for counts in facts.clean_counts] == votes.counts.tolist()
    assert all(sum(counts) == 4 for counts in facts.attacked_counts)
    assert observed.examples.stat().st_size < 20_000


def test_rasters_are_those_of_the_first_image(observed: RunFolder) -> None:
    examples, full = examples_of(observed), rs.data.load("digits", None, "test")
    first = full.at(torch.tensor(examples.facts.indices[:1])).fetch()
    layers = record(load(observed.path), first.pixels(), Streams(0, "observe", first.indices)).layers
    assert [layer.name for layer in examples.facts.layers] == [layer.name for layer in layers]
    for shown, layer in zip(examples.facts.layers, layers, strict=True):
        assert shown.num_spread == 12
        expected = layer.activity[:, 0].flatten(1)[:, list(shown.neurons)]
        membranes = layer.membranes()
        assert membranes is not None
        assert np.array_equal(examples.spikes[shown.name][0], expected.bool())
        kept = membranes[:, 0].flatten(1)[:, list(shown.neurons)]
        assert np.allclose(examples.membranes[shown.name][0], kept, rtol=1e-3, atol=1e-3)


def test_the_lower_half_of_a_raster_favours_neither_image(observed: RunFolder) -> None:
    """Neurons left out spike no more, over both images, than those that were chosen for it."""
    examples, full = examples_of(observed), rs.data.load("digits", None, "test")
    first = full.at(torch.tensor(examples.facts.indices[:1])).fetch()
    classifier = load(observed.path)
    classifier.network = folded(classifier.network)
    both = [
        record(
            classifier,
            condition.images(classifier, first, seed=0),
            Streams(0, "observe", first.indices),
        ).layers
        for condition in conditions(EPS)[:2]
    ]
    for shown, clean, attacked in zip(examples.facts.layers, *both, strict=True):
        counts = sum(layer.activity[:, 0].flatten(1).sum(0) for layer in (clean, attacked))
        assert isinstance(counts, torch.Tensor)
        loudest = list(shown.neurons[shown.num_spread :])
        left_out = [place for place in range(shown.num_neurons) if place not in shown.neurons]
        assert not left_out or counts[loudest].min() >= counts[left_out].max()


def test_the_same_is_computed_once(observed: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("computed again")

    def contents() -> list[bytes]:
        return [path.read_bytes() for path in (observed.activity, observed.examples, observed.environment)]

    before = contents()
    with monkeypatch.context() as patched:
        patched.setattr(observing, "activity_rows", refuse)
        observe_run(observed.path, **OPTIONS)
        assert contents() == before
        for changes in ({"seed": 1}, {"limit": 19}, {"num_examples": 2}, {"num_draws": 5}, {"eps": 0.1}):
            with pytest.raises(AssertionError, match="computed again"):
                observe_run(observed.path, **{**OPTIONS, **changes})
    observed.activity.unlink()
    observe_run(observed.path, **OPTIONS)
    assert contents()[:2] == before[:2]


def test_a_folder_in_use_and_nonsense_are_refused(observed: RunFolder, tmp_path: Path) -> None:
    with observed.locked(), pytest.raises(RunFolderError, match="in use"):
        observe_run(observed.path, **OPTIONS)
    with pytest.raises(InputError, match="eps"):
        observe_run(observed.path, **{**OPTIONS, "eps": 8.0})
    with pytest.raises(InputError, match="num_examples"):
        observe_run(observed.path, **{**OPTIONS, "num_examples": 0})
    damaged = RunFolder(tmp_path / "run")
    save(damaged.path, small_classifier(), data="digits")
    damaged.examples.write_bytes(observed.examples.read_bytes()[:-10])
    append_rows(damaged.activity, observed.activity_rows())
    with pytest.raises(RunFolderError, match=r"examples\.safetensors.*observe the run again"):
        observe_run(damaged.path, **OPTIONS)


def test_a_network_that_never_varies_answers_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    save(folder.path, small_classifier(), data="digits")
    observe_run(folder.path, limit=1, num_examples=1, num_draws=20)
    facts = examples_of(folder).facts
    assert (facts.num_draws, facts.asked_draws) == (1, 20)
    assert all(row["rate"][1:] == [None, None] for row in folder.activity_rows() if row["rate"])


def test_large_images_are_thinned_until_they_fit(tmp_path: Path) -> None:
    shape = (3, 64, 64)
    spec = rs.networks.VGG5(hidden_width=64, width_divisor=64)
    classifier = settled(spec, rs.codings.Direct(), image_shape=shape).float()
    pixels = torch.randint(0, 256, (6, *shape), dtype=torch.uint8)
    images = ImageSet.of(pixels, torch.arange(6) % 5, tuple("abcde"))
    wanted = Wanted(subject="s", seed=0, eps=EPS, limit=None, num_examples=6, num_draws=1)
    path = tmp_path / "examples.safetensors"
    write_examples(path, make_examples(classifier, images, wanted))
    examples = read_examples(path)
    assert examples is not None
    assert examples.facts.every_pixel == 2
    assert np.array_equal(255 * examples.pictures["clean"], pixels[:, :, ::2, ::2].numpy())
    assert path.stat().st_size < 300_000


def test_images_of_different_classes_come_first() -> None:
    labels = torch.tensor([3, 3, 1, 3, 0, 1])
    images = ImageSet.of(torch.zeros(6, 1, 2, 2, dtype=torch.uint8), labels, tuple("abcd"))
    assert choose_images(images, 2).tolist() == [0, 2]
    assert choose_images(images, 3).tolist() == [0, 2, 4]
    assert choose_images(images, 5).tolist() == [0, 1, 2, 3, 4]
    assert choose_images(images, 9).tolist() == [0, 1, 2, 3, 4, 5]


def test_neurons_are_spread_over_the_layer() -> None:
    assert spread_neurons(3, 12) == [0, 1, 2]
    for size in (13, 64, 4096, 65536):
        places = spread_neurons(size, 12)
        assert len(set(places)) == 12
        assert max(np.diff([0, *places, size])) <= max(3, 3 * size / 12)


def test_the_loudest_neurons_are_those_with_the_most_spikes() -> None:
    spikes = torch.tensor([0.0, 3.0, 1.0, 3.0, 2.0, 2.0])
    assert loudest_neurons(spikes, 3, but=[]) == [1, 3, 4]
    assert loudest_neurons(spikes, 3, but=[1, 0]) == [3, 4, 5]
    assert loudest_neurons(spikes, 9, but=[1]) == [0, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": [1.2, 0.1, 0.3]}, "rate 1.2"),
        ({"rate": [0.2, 0.1]}, r"rate \[0.2, 0.1\]"),
        ({"silent": -0.1}, "silent -0.1"),
        ({"num_images": 0}, "no steps or images"),
        ({"layer": 3}, "layer 3"),
        ({"accumulates": "many"}, "accumulates 'many'"),
    ],
)
def test_rows_that_were_edited_are_refused(
    observed: RunFolder, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = tmp_path / "activity.jsonl"
    rows = observed.activity_rows()
    require_activity_rows(rows, path)
    with pytest.raises(RunFolderError, match=f"line 2 .*{message}"):
        require_activity_rows([rows[0], {**rows[1], **changes}], path)
    with pytest.raises(RunFolderError, match="line 2 .*repeats"):
        require_activity_rows([rows[0], rows[0]], path)
    replace_rows(path, [{name: value for name, value in rows[0].items() if name != "connections"}])
    with pytest.raises(RunFolderError, match="line 1 .*lacks 'connections'"):
        RunFolder(tmp_path).activity_rows()
