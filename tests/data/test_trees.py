"""Tiny-ImageNet and ImageNet: their layouts, and a line for whatever is wrong with a folder."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import datasets
import PIL.Image
import pyarrow
import pytest
import torch

import rsc_snn as rs
from rsc_snn.data import FileSet, ImageNet, TinyImageNet
from rsc_snn.data.sources import Rows
from rsc_snn.errors import InputError, RangeError, UnreadableImage
from tests.data.trees import (
    CLASSES,
    SmallPhotos,
    encoded,
    listed,
    write_class_folders,
    write_many,
    write_tiny,
)

WNIDS = [f"n{i:08}" for i in range(1000)]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path, WNIDS[:200])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / SmallPhotos.name
    write_class_folders(folder / "train", CLASSES, 3, sizes=[(30, 30)])
    write_class_folders(folder / "val", CLASSES, 2, sizes=[(30, 30)])
    return folder


def complaint(folder: Path, split: rs.data.Split = "train") -> str:
    """What loading SmallPhotos or Tiny-ImageNet from its folder says, with ROOT for the folder."""
    dataset = {SmallPhotos.name: SmallPhotos(), TinyImageNet.name: TinyImageNet()}[folder.name]
    with pytest.raises(InputError) as caught:
        dataset.load(split, folder.parent)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(folder), "ROOT")


class TestTinyImageNet:
    def test_its_own_layout_is_read(self, tiny: Path) -> None:
        train, test = (
            rs.data.load("tiny-imagenet", root=tiny.parent, split=split) for split in ("train", "test")
        )
        assert isinstance(train, FileSet)
        assert isinstance(test, FileSet)
        assert (len(train), len(test)) == (400, 200)
        assert train.classes == test.classes == tuple(WNIDS[:200])
        assert listed(train).labels.tolist() == [k for k in range(200) for _ in range(2)]
        assert train.labels.tolist() == 2 * list(range(200))
        test = listed(test)
        assert test.labels.tolist() == list(range(199, -1, -1)), "the list says the class, not the order"
        pixels = test.at(torch.tensor([0, 150])).images
        assert pixels.shape == (2, 3, 64, 64)
        assert pixels[:, 0].flatten(1).unique(dim=1).tolist() == [[199], [49]]
        assert test.source.name(3) == str(tiny / "val" / "images" / "val_003.JPEG")

    def test_test_images_may_stand_in_class_folders(self, tiny: Path) -> None:
        shutil.rmtree(tiny / "val")
        write_many(tiny / "val", WNIDS[:200], 1)
        assert rs.data.load("tiny-imagenet", root=tiny.parent).labels.tolist() == list(range(200))

    def test_their_list_may_be_left_in_place(self, tiny: Path) -> None:
        shutil.rmtree(tiny / "val" / "images")
        for split in rs.data.base.SPLITS:
            assert complaint(tiny, split) == (
                "'ROOT/val' has val_annotations.txt, but neither a folder images nor class folders; restore "
                "the images from the archive"
            )
        annotations = tiny / "val" / "val_annotations.txt"
        kept = annotations.read_text()
        shutil.rmtree(tiny / "val")
        write_many(tiny / "val", WNIDS[:200], 1)
        annotations.write_text(kept)
        for split, num_images in (("train", 400), ("test", 200)):
            found = TinyImageNet().load(split, tiny.parent)
            assert found.labels.bincount().tolist() == [num_images // 200] * 200

    @pytest.mark.filterwarnings("ignore::rsc_snn.errors.UnreadableImage")
    def test_images_of_another_size_are_refused(self, tiny: Path) -> None:
        PIL.Image.new("RGB", (64, 63)).save(tiny / "val" / "images" / "val_000.JPEG")
        test = TinyImageNet().load("test", tiny.parent)
        assert len(test.at(slice(2)).fetch()) == 1
        assert test.unreadable == {0: "it has 64x63 pixels, images of tiny-imagenet have 64x64"}

    def test_a_missing_list(self, tiny: Path) -> None:
        (tiny / "val" / "val_annotations.txt").unlink()
        for split in rs.data.base.SPLITS:
            assert complaint(tiny, split) == (
                "no val_annotations.txt in 'ROOT/val', which says the classes of its images; restore it from "
                "the archive"
            )

    def test_a_damaged_list(self, tiny: Path) -> None:
        file = tiny / "val" / "val_annotations.txt"
        lines = file.read_text().splitlines()
        file.write_text("\n".join(["no tabs here", *lines]))
        assert complaint(tiny).startswith(
            "'ROOT/val/val_annotations.txt' is damaged: expected lines of FILE, tab,"
        )
        file.write_bytes(b"\xff\xfe\x00")
        assert "is damaged" in complaint(tiny)

    def test_a_list_that_does_not_fit(self, tiny: Path) -> None:
        file = tiny / "val" / "val_annotations.txt"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([*lines, "val_900.JPEG\tn00000003\t0\t0\t1\t1"]))
        assert complaint(tiny) == (
            "'val_900.JPEG' and 0 other images are not in the folder images of 'ROOT/val'; restore both "
            "from the archive"
        )
        PIL.Image.new("RGB", (64, 64)).save(tiny / "val" / "images" / "val_900.JPEG")
        (tiny / "val" / "images" / "val_901.JPEG").write_text("")
        (tiny / "val" / "images" / "val_902.JPEG").write_text("")
        assert complaint(tiny) == (
            "'val_901.JPEG' and 1 other images are not in val_annotations.txt of 'ROOT/val'; restore both "
            "from the archive"
        )

    def test_a_class_without_test_images(self, tiny: Path) -> None:
        file = tiny / "val" / "val_annotations.txt"
        file.write_text(file.read_text().replace("n00000007", "n00000008"))
        assert complaint(tiny) == "class 'n00000007' of 'ROOT/train' is missing from 'ROOT/val'; restore it"


class TestImageNet:
    def test_its_own_layout_is_read(self, tmp_path: Path) -> None:
        for split, num_images in (("train", 2), ("val", 1)):
            write_many(tmp_path / "imagenet" / split, WNIDS, num_images)
        train, test = (rs.data.load("imagenet", root=tmp_path, split=split) for split in ("train", "test"))
        assert (len(train), len(test)) == (2000, 1000)
        assert train.classes == test.classes == tuple(WNIDS)
        assert test.at(torch.tensor([999, 5])).labels.tolist() == [999, 5]
        assert test.at(slice(2)).images.shape == (2, 3, 224, 224)

    def test_settings_that_mean_nothing_are_refused(self) -> None:
        for share in (0.0, 1.5):
            with pytest.raises(RangeError, match=r"smallest_area must lie in \(0, 1\]"):
                ImageNet(smallest_area=share)
        with pytest.raises(RangeError, match="padding must lie in"):
            TinyImageNet(padding=64)


class TestWhatIsWrong:
    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no folder 'imagenet' in the data root"):
            rs.data.load("imagenet", root=tmp_path)
        (tmp_path / SmallPhotos.name).mkdir()
        assert complaint(tmp_path / SmallPhotos.name) == (
            "neither train/CLASS/*.JPEG nor parquet files in 'ROOT'; unpack small-photos there, or put the "
            "files of nobody/small-photos there"
        )

    @pytest.mark.parametrize("name", ["train", "val"])
    def test_a_missing_split(self, photos: Path, name: str) -> None:
        shutil.rmtree(photos / name)
        expected = (
            f"no folder '{name}' in 'ROOT'; expected train/CLASS/*.JPEG and the validation images in val"
        )
        assert complaint(photos, "test") == expected
        with pytest.raises(InputError, match=f"no folder '{name}'"):
            SmallPhotos().locate(photos.parent)

    @pytest.mark.parametrize(("name", "other"), [("train", "val"), ("val", "train")])
    def test_a_class_that_one_split_lacks(self, photos: Path, name: str, other: str) -> None:
        shutil.rmtree(photos / name / "n03")
        assert complaint(photos) == f"class 'n03' of 'ROOT/{other}' is missing from 'ROOT/{name}'; restore it"

    def test_an_empty_class(self, photos: Path) -> None:
        for file in (photos / "val" / "n04").iterdir():
            file.rename(file.with_suffix(".txt"))
        expected = "class 'n04' has no images in 'ROOT/val/n04'; restore them"
        assert complaint(photos, "train") == complaint(photos, "test") == expected

    def test_another_number_of_classes(self, photos: Path) -> None:
        for name in ("train", "val"):
            shutil.rmtree(photos / name / "n03")
        assert complaint(photos) == (
            "expected 5 classes of small-photos in 'ROOT', found 4; other images are read with ImageFolder"
        )

    def test_swapped_splits(self, photos: Path) -> None:
        (photos / "train").rename(photos / "other")
        (photos / "val").rename(photos / "train")
        (photos / "other").rename(photos / "val")
        assert complaint(photos) == (
            "'ROOT' holds fewer images in train (10) than in val (15); are they swapped?"
        )

    def test_more_test_images_than_there_are(self, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(SmallPhotos, "num_images", {"train": 15, "test": 9})
        expected = "'ROOT/val' holds 10 test images, but small-photos has 9; are train and val swapped?"
        assert complaint(photos, "test") == expected

    def test_images_that_are_not_sorted_into_classes(self, photos: Path) -> None:
        for file in list((photos / "val").glob("*/*")):
            file.rename(photos / "val" / file.name)
        for name in CLASSES:
            (photos / "val" / name).rmdir()
        assert complaint(photos, "test") == (
            "the images in 'ROOT/val' are not in class folders; sort them into these"
        )


def write_table(
    folder: Path, labels: Sequence[int | None], *, names: tuple[str, ...] = CLASSES
) -> torch.Tensor:
    """Parquet files as the hub has them; returns their images, which have the size that is shown."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (len(labels), 28, 28, 3), generator=generator, dtype=torch.uint8)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(names))})
    columns = {"image": [PIL.Image.fromarray(image.numpy()) for image in images], "label": labels}
    table = datasets.Dataset.from_dict(columns, features=features)
    (folder / "data").mkdir(parents=True)
    for split in ("train", "validation"):
        table.to_parquet(str(folder / "data" / f"{split}-00000-of-00001.parquet"))
    return images.permute(0, 3, 1, 2)


def broken(table: object, key: object) -> None:
    raise pyarrow.ArrowInvalid("a page\nis damaged")


@pytest.fixture
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "hub")


@pytest.mark.usefixtures("_own_caches")
@pytest.mark.filterwarnings("ignore")
class TestTables:
    def test_a_table_that_is_sorted_by_class_starts_with_every_class(self, tmp_path: Path) -> None:
        write_table(tmp_path / SmallPhotos.name, [0, 0, 0, 1, 1, 2, 3, 4])
        found = SmallPhotos().load("train", tmp_path)
        assert found.labels.tolist() == [0, 1, 2, 3, 4, 0, 1, 0]
        assert found.indices.tolist() == [0, 3, 5, 6, 7, 1, 4, 2]

    def test_parquet_files_are_read_row_by_row(self, tmp_path: Path) -> None:
        labels = [0, 1, 2, 3, 4, 4, 0]
        images = write_table(tmp_path / SmallPhotos.name, labels)
        for split in rs.data.base.SPLITS:
            found = listed(SmallPhotos().load(split, tmp_path))
            assert found.labels.tolist() == labels
            assert found.classes == CLASSES
            for num_workers in (0, 1):
                (part,) = found.stream([torch.tensor([6, 2])], device="cpu", num_workers=num_workers)
                # 28 pixels are shown at 28: the middle 24 as they are
                assert torch.equal(part.images, images[[6, 2], :, 2:26, 2:26])
        assert found.source.name(6).endswith("small-photos, row 6")

    def test_their_fingerprint_follows_sizes_and_labels(self, tmp_path: Path) -> None:
        for name, labels in (("a", [0, 1, 2, 3, 4]), ("b", [0, 1, 2, 4, 3]), ("c", [0, 1, 2, 3, 4])):
            write_table(tmp_path / name / SmallPhotos.name, labels)
        a, b, c = (SmallPhotos().load("train", tmp_path / name) for name in "abc")
        assert a.fingerprint() == c.fingerprint() != b.fingerprint()
        assert a.at(slice(3)).fingerprint() == b.at(slice(3)).fingerprint()
        sizes = [identity.split(":") for identity in a.source.identities([4, 0])]
        assert [int(size) for _, size in sizes] == [len(a.source.read(4)), len(a.source.read(0))]

    def test_rows_without_a_label_are_refused(self, tmp_path: Path) -> None:
        write_table(tmp_path / SmallPhotos.name, [0, 1, 2, 3, 4, -1, None])
        assert complaint(tmp_path / SmallPhotos.name) == (
            "2 rows of 'ROOT' (train) have no label; restore the files"
        )

    def test_rows_that_cannot_be_read_are_left_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = {"bytes": encoded(PIL.Image.new("RGB", (30, 30), (7, 8, 9)), format="PNG"), "path": None}
        PIL.Image.new("RGB", (30, 30), (5, 5, 5)).save(tmp_path / "there.png")
        images = [
            good,
            None,
            {"bytes": None, "path": None},
            {"bytes": None, "path": str(tmp_path / "there.png")},
            {"bytes": None, "path": "gone.png"},
            {"bytes": b"", "path": None},
        ]
        kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        table = datasets.Dataset(pyarrow.table({"image": pyarrow.array(images, kind)}))
        source = Rows.of("here", table, "image")
        found = FileSet.of(SmallPhotos(), source, torch.zeros(6, dtype=torch.int64), ("a",))
        with pytest.warns(UnreadableImage, match="'here, row 1' is left out: the row holds no image"):
            assert found.fetch().indices.tolist() == [0, 3]
        assert found.unreadable[1] == found.unreadable[2] == "the row holds no image"
        assert "No such file" in found.unreadable[4]
        assert found.unreadable[5] == "not an image"
        assert len(set(source.identities(range(6)))) == 6
        monkeypatch.setattr(type(table), "__getitem__", broken)
        with pytest.warns(UnreadableImage, match="'here, row 0' is left out: a page is damaged"):
            assert len(found.fetch()) == 0

    def test_what_is_wrong_with_them(self, tmp_path: Path) -> None:
        folder = tmp_path / SmallPhotos.name
        write_table(folder, [0, 1, 2, 4])
        assert complaint(folder) == "class 'n04' has no images in 'ROOT' (train)"
        shutil.rmtree(folder)
        write_table(folder, [0, 1], names=("a", "b"))
        assert complaint(folder) == "expected 5 classes in 'ROOT', found 2"
        shutil.rmtree(folder)
        write_table(folder, [0, 1, 2, 3, 4])
        (folder / "data" / "validation-00000-of-00001.parquet").unlink()
        assert (
            complaint(folder, "test") == "'ROOT' lacks the split 'validation' of small-photos; it has train"
        )


def test_the_first_images_are_of_every_class_and_keep_their_index(photos: Path) -> None:
    """Three images of each of five classes: 0 3 6 9 12, then 1 4 7 10 13, then 2 5 8 11 14."""
    found = SmallPhotos().load("train", photos.parent)
    assert found.labels.tolist() == 3 * [0, 1, 2, 3, 4]
    assert found.indices.tolist() == [0, 3, 6, 9, 12, 1, 4, 7, 10, 13, 2, 5, 8, 11, 14]
    assert found.source.name(9).endswith("n04/n04_0.JPEG")
    assert torch.equal(found.at(slice(3, 4)).fetch().images[0], found.images[3])
