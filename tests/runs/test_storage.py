"""A saved classifier comes back the same, and a damaged one is refused in one line."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml

import rsc_snn as rs
from rsc_snn.errors import InputError, RunFolderError
from tests.helpers import Linear, seeded, small_classifier


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rs.save(
        tmp_path / "run",
        small_classifier(rs.codings.RandomizedSmoothing(variance=0.1)).train(),
        data="digits",
    )
    return tmp_path / "run"


def test_a_classifier_comes_back_in_eval_mode_with_the_same_answers(run: Path) -> None:
    loaded = rs.load(run)
    assert not any(module.training for module in loaded.modules())
    images = torch.rand(4, 1, 8, 8, generator=seeded(0))
    original = small_classifier(rs.codings.RandomizedSmoothing(variance=0.1))
    expected = original.logits(images, rs.Streams(0, "score", range(4)))
    assert torch.equal(loaded.logits(images, rs.Streams(0, "score", range(4))), expected)
    assert loaded.coding == original.coding


def test_loading_leaves_the_global_generator_alone(run: Path) -> None:
    before = torch.get_rng_state()
    rs.load(run)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_existing_run_is_not_overwritten(run: Path) -> None:
    with pytest.raises(RunFolderError, match="already holds a run"):
        rs.save(run, small_classifier())


def test_foreign_networks_are_refused(tmp_path: Path) -> None:
    classifier = rs.SpikingClassifier(Linear(torch.ones(1, 2, 2)), rs.codings.Direct(), 1)
    with pytest.raises(
        InputError, match=r"only networks built by rsc_snn\.networks can be saved, got Linear"
    ):
        rs.save(tmp_path / "run", classifier)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", [0, 4, 100, 5000])
def test_weights_cut_short_are_named(run: Path, size: int) -> None:
    weights = run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(RunFolderError, match="damaged or cut short") as caught:
        rs.load(run)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_numbers_are_named(run: Path) -> None:
    from rsc_snn.runs.folder import RunFolder
    from rsc_snn.runs.storage import save_weights

    classifier = rs.load(run)
    with torch.no_grad():
        next(classifier.parameters()).fill_(float("nan"))
    save_weights(RunFolder(run), classifier)
    with pytest.raises(RunFolderError, match="values that are not finite"):
        rs.load(run)


def test_weights_of_another_architecture_are_named(run: Path, tmp_path: Path) -> None:
    network = rs.networks.VGG5(hidden_width=8).build(image_shape=(1, 8, 8))
    rs.save(tmp_path / "other", rs.SpikingClassifier(network, rs.codings.Direct(), 2))
    shutil.copy(tmp_path / "other" / "weights.safetensors", run)
    with pytest.raises(
        RunFolderError,
        match=r"another architecture .* should be \[16, 512\], is \[8, 512\]|another architecture",
    ):
        rs.load(run)


def test_an_unknown_key_in_the_specification_is_named(run: Path) -> None:
    data = yaml.safe_load((run / "run.yaml").read_text())
    data["classifier"]["codng"] = data["classifier"].pop("coding")
    (run / "run.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(InputError, match="unknown key .*'codng'; did you mean 'coding'"):
        rs.load(run)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema: 99", "has schema 99, this version reads 1"),
        ("[1, 2]", "must hold a mapping"),
        ("a: [", "not readable YAML"),
    ],
)
def test_other_specifications_are_refused(run: Path, text: str, message: str) -> None:
    (run / "run.yaml").write_text(text)
    with pytest.raises(RunFolderError, match=message):
        rs.load(run)


def test_no_run_and_no_weights_are_told_apart(run: Path, tmp_path: Path) -> None:
    (run / "weights.safetensors").unlink()
    with pytest.raises(RunFolderError, match=r"has no weights\.safetensors; finish it"):
        rs.load(run)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        rs.load(tmp_path / "nothing")
