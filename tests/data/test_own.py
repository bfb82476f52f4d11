"""A user's own data: folders, tensors, files of tensors; from Python, YAML and the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.data import AbstractDataset, FileSet, ImageFolder, ImageSet, TensorFile
from rsc_snn.data.views import random_view
from rsc_snn.errors import DTypeError, InputError, RangeError, ShapeError, UnknownNameError, UnreadableImage
from rsc_snn.evaluation.run import evaluate_run
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.schema import row_key
from rsc_snn.spec import from_data, to_data
from rsc_snn.training import Recipe, Training
from tests.data.trees import listed, write_class_folders
from tests.helpers import seeded

CLASSES = ("ant", "bee", "cow")


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    folder = tmp_path / "flowers"
    write_class_folders(folder / "train", CLASSES, 8, sizes=[(20, 16), (16, 20)])
    write_class_folders(folder / "test", CLASSES, 3, sizes=[(20, 16)])
    return folder


def tensors(num_images: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Grey 8x8 images whose brightness says their class."""
    labels = torch.arange(num_images) % 3
    noise = torch.randint(0, 60, (num_images, 1, 8, 8), generator=seeded(seed))
    return (noise + 80 * labels[:, None, None, None]).to(torch.uint8), labels


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rs.data.save_tensors(tmp_path / "mine.safetensors", train=tensors(48), test=tensors(10, seed=1))
    return tmp_path / "mine.safetensors"


class TestImageFolder:
    def test_a_path_finds_classes_and_size_itself(self, flowers: Path) -> None:
        for reference in (flowers, str(flowers)):
            test, train = rs.data.load(reference), rs.data.load(reference, split="train")
            assert isinstance(test, FileSet)
            assert test.dataset == ImageFolder(path=str(flowers), num_classes=3, image_size=16)
            assert test.classes == train.classes == CLASSES
            assert (len(train), len(test)) == (24, 9)
            assert test.images.shape == (9, 3, 16, 16)

    def test_testing_shows_the_middle_square(self, flowers: Path) -> None:
        test = listed(ImageFolder(path=str(flowers), num_classes=3, image_size=16).load("test", None))
        with Image.open(test.source.name(4)) as picture:
            middle = np.asarray(picture)[:, 2:18]
        assert np.array_equal(test.images[4].permute(1, 2, 0).numpy(), middle)
        half = ImageFolder(path=str(flowers), num_classes=3, image_size=8).load("test", None)
        assert half.images.shape == (9, 3, 8, 8)

    def test_training_shows_random_parts(self, flowers: Path) -> None:
        dataset = ImageFolder(path=str(flowers), num_classes=3, image_size=12, smallest_area=0.5)
        alter = rs.data.Augmentation(dataset=dataset, seed=0, draw=0)
        train = listed(dataset.load("train", None))
        shown = next(train.stream([torch.arange(6)], device="cpu", augmentation=alter)).images
        numbers = alter.streams(range(6)).uniform((23,), num_steps=1, device=torch.device("cpu"))[0].tolist()
        for i in range(6):
            with Image.open(train.source.name(i)) as picture:
                view = random_view(*picture.size, numbers[i], smallest_area=0.5, flip=True)
                assert view.width * view.height > 0.45 * 320
                part = picture.crop((int(view.left), int(view.top), int(view.right), int(view.bottom)))
            expected = np.asarray(part.resize((12, 12), Image.Resampling.BILINEAR)).astype(int)
            expected = expected[:, ::-1] if view.is_mirrored else expected
            difference = np.abs(shown[i].permute(1, 2, 0).numpy() - expected)
            assert difference[1:-1, 1:-1].max() <= 1  # at its edges the rest of the picture has a say

    def test_test_images_may_stand_in_val(self, flowers: Path) -> None:
        (flowers / "test").rename(flowers / "val")
        assert len(rs.data.load(flowers)) == 9

    def test_a_relative_path_is_found_here_or_in_the_data_root(
        self, flowers: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dataset = ImageFolder(path="flowers", num_classes=3, image_size=16)
        assert len(dataset.load("test", flowers.parent)) == 9
        with pytest.raises(InputError, match=r"no 'flowers' in the current folder .*--set data.path=PATH"):
            dataset.load("test", None)
        with pytest.raises(InputError, match="or '.*train'"):
            dataset.locate(flowers / "train")
        monkeypatch.chdir(flowers.parent)
        assert len(dataset.load("test", None)) == 9
        assert len(rs.data.load("flowers")) == 9

    def test_it_survives_yaml(self) -> None:
        dataset = ImageFolder(path="a/b", num_classes=3, image_size=16, smallest_area=0.5)
        assert from_data(yaml.safe_load(yaml.safe_dump(to_data(dataset))), AbstractDataset) == dataset

    def test_what_is_wrong_with_a_folder(self, flowers: Path) -> None:
        def complaint(dataset: ImageFolder | None = None, split: rs.data.Split = "train") -> str:
            with pytest.raises(InputError) as caught:
                rs.data.load(dataset or flowers, split=split)
            assert "\n" not in str(caught.value)
            return str(caught.value).replace(str(flowers), "ROOT")

        spec = ImageFolder(path=str(flowers), num_classes=4, image_size=16)
        assert complaint(spec) == "num_classes is 4, but 'ROOT' has 3 classes"
        (flowers / "test" / "bee").rename(flowers / "test" / "bees")
        assert complaint() == "class 'bee' is missing from 'ROOT/test'; both splits have all classes"
        (flowers / "test" / "bees").rename(flowers / "test" / "bee")
        for picture in (flowers / "test" / "bee").iterdir():
            picture.unlink()
        assert complaint(split="test") == "class 'bee' has no images in 'ROOT/test/bee'; restore them"
        for i in range(8):
            (flowers / "train" / "ant" / f"ant_{i}.JPEG").write_text("")
        assert complaint() == (
            "cannot read 'ROOT/train/ant/ant_0.JPEG', nor the 7 other images of its class; replace them, or "
            "give an ImageFolder spec"
        )
        (flowers / "test").rename(flowers / "tests")
        assert (
            complaint(spec)
            == "no class folders for the test images in 'ROOT'; expected test/CLASS/* or val/CLASS/*"
        )
        (flowers / "test").mkdir()
        (flowers / "test" / "a.png").write_text("")
        assert complaint(spec) == "the images in 'ROOT/test' are not in class folders; sort them into these"

    def test_its_size_is_that_of_the_first_image_that_opens(
        self, flowers: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (flowers / "train" / "ant" / "ant_0.JPEG").write_text("")
        Image.new("RGB", (90, 80)).save(flowers / "train" / "ant" / "ant_1.JPEG")
        assert ImageFolder.of(flowers).image_size == 80
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)  # 7200 are more than twice as many
        assert ImageFolder.of(flowers).image_size == 16
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)  # a warning only
        assert ImageFolder.of(flowers).image_size == 80

    def test_settings_that_mean_nothing_are_refused(self) -> None:
        for field, value, message in (
            ("image_size", 0, "image_size must be at least 1"),
            ("num_classes", 1, "num_classes must be at least 2"),
            ("smallest_area", 0.0, "smallest_area must lie in"),
            ("mean", (0.5, 0.5), "mean must hold 1 or 3 numbers"),
            ("std", (0.2, 0.2, 0.0), "std must be > 0"),
        ):
            settings = {"path": "x", "num_classes": 3, "image_size": 16, field: value}
            with pytest.raises(RangeError, match=message):
                ImageFolder(**settings)  # type: ignore[arg-type]


class TestTensors:
    def test_two_tensors_are_a_set(self) -> None:
        images, labels = tensors(10)
        found = rs.data.load((images, labels))
        assert isinstance(found, ImageSet)
        assert torch.equal(found.images, images)
        assert torch.equal(found.labels, labels)
        assert found.classes == ("0", "1", "2")
        assert found.indices.tolist() == list(range(10))

    def test_what_is_wrong_with_them(self) -> None:
        images, labels = tensors(10)
        with pytest.raises(DTypeError, match=r"\(255 \* images\).round\(\).to\(torch.uint8\)"):
            rs.data.load((images / 255, labels))
        with pytest.raises(DTypeError, match=r"labels by labels.long\(\)"):
            rs.data.load((images, labels.int()))
        with pytest.raises(ShapeError, match=r"got \[10, 8, 8\] and \[10\]"):
            rs.data.load((images[:, 0], labels))
        with pytest.raises(InputError, match=r"labels must lie in \[0, 3\), one per class, got -1 to 2"):
            rs.data.load((images, labels.clone().index_fill_(0, torch.tensor([0]), -1)))

    def test_what_is_no_pair_of_tensors(self, tmp_path: Path) -> None:
        images, labels = tensors(10)
        assert torch.equal(rs.data.load([images, labels]).images, images)
        with pytest.raises(InputError, match=r"a pair \(images, labels\), got 1 in place of 2"):
            rs.data.load((images,))
        with pytest.raises(InputError, match=r"images must be .* got numpy.ndarray; .*from_numpy\(images\)"):
            rs.data.load((images.numpy(), labels.numpy()))
        with pytest.raises(
            InputError, match=r"labels must be .* got builtins.list; .*torch.tensor\(labels\)"
        ):
            rs.data.load((images, [0] * 10))

    def test_names_are_not_made_for_wild_labels(self) -> None:
        images, labels = tensors(3)
        with pytest.raises(InputError, match="labels must lie below 100000, got 1000000000; number the cl"):
            rs.data.load((images, labels.index_fill(0, torch.tensor([1]), 10**9)))
        with pytest.raises(DTypeError, match=r"labels by labels.long\(\)"):
            rs.data.load((images, labels / 0))

    def test_a_file_of_tensors_is_read_back(self, file: Path) -> None:
        for split, expected in (("train", tensors(48)), ("test", tensors(10, seed=1))):
            found = rs.data.load(file, split=split)  # type: ignore[arg-type]
            assert torch.equal(found.images, expected[0])
            assert torch.equal(found.labels, expected[1])
            assert found.classes == ("0", "1", "2")
        assert len(rs.data.load(str(file))) == 10

    def test_its_spec_describes_the_training_images(self, tmp_path: Path) -> None:
        images, labels = (
            torch.randint(0, 256, (50, 3, 6, 4), generator=seeded(2), dtype=torch.uint8),
            tensors(50)[1],
        )
        images[:, 2] = 51
        path = tmp_path / "mine.safetensors"
        spec = rs.data.save_tensors(
            path, train=(images, labels), test=(images[:5], labels[:5]), classes=CLASSES
        )
        pixels = images.double() / 255
        assert spec.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-4)
        assert spec.std[:2] == pytest.approx(pixels.std((0, 2, 3), correction=0)[:2].tolist(), abs=1e-4)
        assert spec.std[2] == 1 / 255
        assert (spec.num_classes, spec.image_shape, spec.path) == (3, (3, 6, 4), str(path))
        assert spec.load("test", None).classes == CLASSES
        assert from_data(yaml.safe_load(yaml.safe_dump(to_data(spec))), AbstractDataset) == spec

    def test_training_alters_them_only_if_asked(self) -> None:
        images, _ = tensors(10)
        spec = TensorFile(path="x", num_classes=3, image_shape=(1, 8, 8))
        assert torch.equal(spec.augment(images, generator=seeded(0)), images)
        assert not torch.equal(replace(spec, padding=1).augment(images, generator=seeded(0)), images)
        assert not torch.equal(replace(spec, flip=True).augment(images, generator=seeded(0)), images)

    def test_what_is_wrong_with_a_file(self, file: Path, tmp_path: Path) -> None:
        spec = TensorFile.of(file)
        for other in (replace(spec, num_classes=4), replace(spec, image_shape=(1, 4, 16))):
            with pytest.raises(InputError, match=r"holds images \[1, 8, 8\] in 3 classes; image_shape is"):
                other.load("test", None)
        with pytest.raises(InputError, match="expected the name of a file NAME.safetensors, got 'mine.pt'"):
            rs.data.save_tensors("mine.pt", train=tensors(3), test=tensors(3))
        with pytest.raises(
            ShapeError, match=r"both splits take images of one size, got \[1, 8, 8\] and \[1, 8, 7\]"
        ):
            rs.data.save_tensors(file, train=tensors(3), test=(tensors(3)[0][..., :7], tensors(3)[1]))
        assert TensorFile.of(file) == spec, "the file is as it was"
        with pytest.raises(InputError, match="no 'gone.safetensors' in the current folder"):
            TensorFile(path="gone.safetensors", num_classes=3, image_shape=(1, 8, 8)).load("test", None)
        file.write_bytes(file.read_bytes()[:50])
        with pytest.raises(InputError, match="is no safetensors file .*write it again"):
            spec.load("test", None)
        from safetensors.torch import save_file

        with pytest.raises(InputError, match="is a folder, not a safetensors file; read folders with ImageF"):
            replace(spec, path=str(tmp_path)).load("test", None)
        for names in ("no JSON", "5", "[1, 2, 3]", '"abc"'):
            kept = {
                f"{split}_{part}": value
                for split in ("train", "test")
                for part, value in zip(("images", "labels"), tensors(3), strict=True)
            }
            save_file(kept, file, {"classes": names})
            with pytest.raises(InputError, match="'classes' of .* must be a JSON list of names, got"):
                spec.load("test", None)
        save_file({"train_images": tensors(3)[0]}, file)
        with pytest.raises(
            InputError, match="lacks the tensor 'test_images'; write it with rs.data.save_tensors"
        ):
            spec.load("test", None)


class TestReferences:
    def test_what_is_neither_a_name_nor_a_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UnknownNameError, match="unknown data set 'flowers'"):
            rs.data.load("flowers")
        for missing in ("./flowers", str(tmp_path / "flowers"), Path("flowers")):
            with pytest.raises(
                InputError, match=r"no folder or file .*flowers.*; give the path of the data, or one of"
            ):
                rs.data.load(missing)
        with pytest.raises(
            InputError, match=r"give its path, or ImageFolder\(path, num_classes, image_size\)"
        ):
            rs.data.load("image-folder")

    def test_a_name_is_not_hidden_by_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "digits").mkdir()
        monkeypatch.chdir(tmp_path)
        assert rs.data.by_reference("digits") == rs.data.Digits()


def recipe(dataset: AbstractDataset) -> Recipe:
    return Recipe(
        name="own",
        data=dataset,
        coding=rs.codings.RandomizedSmoothing(variance=0.01),
        network=rs.networks.VGG5(hidden_width=16),
        neuron=rs.neurons.LIF(),
        num_steps=2,
        training=Training(epochs=1, batch_size=8, num_validation=3, warmup_epochs=0.0),
    )


class TestRuns:
    def test_tensors_from_the_command_line(
        self, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = tmp_path / "run"
        data = f"{{kind: TensorFile, path: {file}, num_classes: 3, image_shape: [1, 8, 8]}}"
        settings = [
            "network.hidden_width=16",
            "training.epochs=1",
            "training.num_validation=4",
            "training.batch_size=8",
        ]
        options = [word for setting in [f"data={data}", *settings] for word in ("--set", setting)]
        assert main(["train", "digits-vgg5-direct", *options, "--out", str(run)]) == 0
        assert main(["train", str(run / "run.yaml"), "--out", str(run), "--resume"]) == 0
        assert main(["attack", str(run), "--attack", "FGSM", "--limit", "6", "--json"]) == 0
        summary = json.loads(capsys.readouterr().out.partition("[")[2].join(["[", ""]))
        assert summary[0]["clean"]
        rows = RunFolder(run).attacks.read_text().splitlines()
        assert len(rows) == 12
        file.unlink()
        assert main(["attack", str(run)]) == 2
        assert f"no '{file}' in the current folder" in capsys.readouterr().err

    def test_a_folder_is_evaluated_batch_by_batch_as_in_memory(self, flowers: Path, tmp_path: Path) -> None:
        """The same images in files and in memory give the same rows."""
        dataset = ImageFolder(path=str(flowers), num_classes=3, image_size=16)
        rs.train(recipe(dataset), tmp_path / "run")
        attacks = [rs.attacks.FGSM(eps=0.03)]
        streamed = evaluate_run(tmp_path / "run", attacks, num_draws=3, batch_size=4)
        sets = {split: listed(dataset.load(split, None)).fetch() for split in ("train", "test")}
        kept = {split: (found.images, found.labels) for split, found in sets.items()}
        spec = rs.data.save_tensors(tmp_path / "same.safetensors", train=kept["train"], test=kept["test"])
        folder = RunFolder(tmp_path / "run")
        folder.attacks.unlink()
        text = yaml.safe_load(folder.spec.read_text())
        text["recipe"]["data"] = to_data(spec)
        folder.spec.write_text(yaml.safe_dump(text))
        in_memory = evaluate_run(tmp_path / "run", attacks, num_draws=3, batch_size=4)
        assert len(streamed) == 18
        for ours, theirs in zip(sorted(streamed, key=row_key), sorted(in_memory, key=row_key), strict=True):
            changing = {"subject": "", "heldout_margin": pytest.approx(ours["heldout_margin"], abs=1e-5)}
            assert {**ours, **changing} == {**theirs, "subject": ""}

    def test_images_that_cannot_be_decoded_have_no_rows(self, flowers: Path, tmp_path: Path) -> None:
        dataset = ImageFolder(path=str(flowers), num_classes=3, image_size=16)
        for i in range(3):
            (flowers / "train" / "ant" / f"ant_{i}.JPEG").write_text("")
        with pytest.warns(UnreadableImage, match=r"ant_\d.JPEG' is left out: not an image"):
            rs.train(recipe(dataset), tmp_path / "run")
        for name in ("ant_1", "bee_1", "cow_1", "bee_0"):  # indices 1, 4, 7, 3: all of the second batch
            (flowers / "test" / name.partition("_")[0] / f"{name}.JPEG").write_text("")
        attacks = [rs.attacks.FGSM(eps=0.03)]
        with pytest.warns(UnreadableImage) as caught:
            rows = evaluate_run(tmp_path / "run", attacks, num_draws=3, batch_size=3)
        messages = [str(warning.message) for warning in caught]
        assert len(messages) == 5
        assert messages[-1].startswith("4 of 9 test images cannot be decoded and have no rows")
        assert {row["index"] for row in rows} == {0, 2, 5, 6, 8}
        before = RunFolder(tmp_path / "run").attacks.read_bytes()
        with pytest.warns(UnreadableImage):
            again = evaluate_run(tmp_path / "run", attacks, num_draws=3)
        assert again == rows
        assert RunFolder(tmp_path / "run").attacks.read_bytes() == before
