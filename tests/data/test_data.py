"""Data sets: splits, augmentation, cache, and the real images where they are."""

from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn import data
from rsc_snn.data import AbstractDataset, ImageSet
from rsc_snn.data.augmentation import shift_and_flip
from rsc_snn.errors import DTypeError, InputError, ShapeError, UnknownNameError
from rsc_snn.registry import examples
from tests.helpers import seeded

EXAMPLES = examples(data.__name__, data.__path__, AbstractDataset)


def test_digits_have_their_published_size_and_no_image_is_in_both_splits() -> None:
    train, test = (rs.data.load("digits", split=split) for split in ("train", "test"))
    assert len(train) + len(test) == 1797
    assert test.images.shape[1:] == (1, 8, 8)
    assert test.images.dtype == torch.uint8
    assert test.labels.dtype == torch.int64
    assert test.classes == tuple("0123456789")
    assert int(train.images.max()) == 255
    assert int(test.labels.bincount().min()) >= 34
    both = {bytes(i.numpy()) for i in train.images} & {bytes(i.numpy()) for i in test.images}
    assert not both


@pytest.mark.parametrize("name", ["digits"])
def test_mean_and_std_are_those_of_the_training_images(name: str) -> None:
    pixels = rs.data.load(name, split="train").pixels()
    dataset = data.by_name(name)
    assert pixels.mean((0, 2, 3)).tolist() == pytest.approx(dataset.mean, abs=2e-3)
    assert pixels.std((0, 2, 3)).tolist() == pytest.approx(dataset.std, abs=2e-3)


def test_carving_keeps_classes_even_and_indices_apart() -> None:
    train = rs.data.load("digits", split="train")
    rest, validation = train.carve(100, seed=0)
    assert len(rest) == len(train) - 100
    assert validation.labels.bincount().tolist() == [10] * 10
    indices = set(rest.indices.tolist()) | set(validation.indices.tolist())
    assert indices == set(range(len(train)))
    position = int(validation.indices[3])
    assert torch.equal(validation.images[3], train.images[position])
    again = train.carve(100, seed=0)[1]
    other = train.carve(100, seed=1)[1]
    assert torch.equal(again.indices, validation.indices)
    assert not torch.equal(other.indices, validation.indices)
    with pytest.raises(InputError, match="takes 0 to"):
        train.carve(1000, seed=0)


def test_carving_takes_the_same_share_of_unequal_classes() -> None:
    labels = torch.tensor([0] * 90 + [1] * 10)
    images = torch.zeros(100, 1, 2, 2, dtype=torch.uint8)
    rest, validation = ImageSet.of(images, labels, ("a", "b")).carve(20, seed=0)
    assert validation.labels.bincount().tolist() == [18, 2]
    assert rest.labels.bincount().tolist() == [72, 8]


class TestShiftAndFlip:
    images = torch.randint(1, 256, (500, 2, 6, 5), generator=seeded(0), dtype=torch.uint8)

    def test_every_image_is_one_of_its_shifts(self) -> None:
        found = shift_and_flip(self.images[:20], padding=2, flip=False, generator=seeded(1))
        padded = torch.nn.functional.pad(self.images[:20], (2, 2, 2, 2))
        for i in range(20):
            windows = [padded[i, :, r : r + 6, c : c + 5] for r in range(5) for c in range(5)]
            assert any(torch.equal(found[i], window) for window in windows)

    def test_all_shifts_and_flips_are_equally_likely(self) -> None:
        corner = torch.zeros(9000, 1, 3, 3, dtype=torch.uint8)
        corner[:, 0, 1, 1] = 1
        found = shift_and_flip(corner, padding=1, flip=False, generator=seeded(2)).sum(0).flatten()
        assert int(found.sum()) == 9000
        assert (found - 1000).abs().max() < 5 * (9000 * (1 / 9) * (8 / 9)) ** 0.5
        flipped = shift_and_flip(self.images, padding=0, flip=True, generator=seeded(3))
        is_mirror = (flipped == self.images.flip(3)).flatten(1).all(1)
        is_same = (flipped == self.images).flatten(1).all(1)
        assert bool((is_mirror | is_same).all())
        assert abs(int(is_mirror.sum()) - 250) < 5 * (500 / 4) ** 0.5

    def test_nothing_changes_without_shift_and_flip(self) -> None:
        assert torch.equal(
            shift_and_flip(self.images, padding=0, flip=False, generator=seeded(0)), self.images
        )

    def test_an_image_is_altered_alike_in_every_batch(self) -> None:
        whole = shift_and_flip(
            self.images[:9], padding=2, flip=True, generator=rs.Streams(0, "augment", range(9))
        )
        part = shift_and_flip(
            self.images[5:7], padding=2, flip=True, generator=rs.Streams(0, "augment", [5, 6])
        )
        assert torch.equal(part, whole[5:7])


def test_ranks_within_classes_by_hand() -> None:
    labels = torch.tensor([2, 0, 2, 2, 1, 0])
    assert data.base.rank_within_class(labels).tolist() == [0, 0, 1, 2, 0, 1]
    assert data.base.rank_within_class(labels[:0]).tolist() == []


def test_digits_are_never_flipped() -> None:
    images = torch.zeros(200, 1, 8, 8, dtype=torch.uint8)
    images[:, 0, 4, 2] = 9
    found = data.Digits().augment(images, generator=seeded(0))
    columns = found.flatten(2).amax(2).new_tensor([int(image.argmax()) % 8 for image in found])
    assert set(columns.tolist()) == {1, 2, 3}


@pytest.mark.parametrize("dataset", EXAMPLES, ids=repr)
def test_every_dataset_states_what_a_network_needs(dataset: AbstractDataset) -> None:
    channels = dataset.image_shape[0]
    assert len(dataset.mean) == len(dataset.std)
    assert len(dataset.mean) in (1, channels)
    images = torch.randint(0, 256, (3, *dataset.image_shape), dtype=torch.uint8)
    altered = dataset.augment(images, generator=seeded(0))
    assert altered.shape == images.shape
    assert altered.dtype == torch.uint8
    if dataset.name in data.names():
        assert data.by_name(dataset.name) == dataset


def write_hub_folder(root: Path, num_images: int = 12) -> torch.Tensor:
    """A folder as the hub has it, with generated pictures; returns their bytes."""
    import datasets
    import PIL.Image

    images = torch.randint(0, 256, (num_images, 32, 32, 3), generator=seeded(0), dtype=torch.uint8)
    names = list(map(str, range(10)))
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    columns = {
        "img": [PIL.Image.fromarray(image.numpy()) for image in images],
        "label": [i % 10 for i in range(num_images)],
    }
    folder = root / "cifar10" / "data"
    folder.mkdir(parents=True)
    table = datasets.Dataset.from_dict(columns, features=features)
    for split in ("train", "test"):
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    return images.permute(0, 3, 1, 2)


@pytest.fixture
def own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RSC_SNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "hub")
    return tmp_path / "cache"


@pytest.mark.filterwarnings("ignore")
def test_a_local_folder_is_decoded_once(
    own_caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = write_hub_folder(tmp_path / "root")
    first = rs.data.load("cifar10", root=tmp_path / "root")
    assert torch.equal(first.images, expected)
    assert first.labels.tolist() == [i % 10 for i in range(12)]
    monkeypatch.setattr(data.Cifar10, "_open", lambda *args: pytest.fail("decoded again"))
    again = rs.data.load("cifar10", root=tmp_path / "root")
    assert torch.equal(again.images, expected)
    assert again.classes == first.classes


@pytest.mark.filterwarnings("ignore")
def test_grey_images_of_the_hub_stay_grey(own_caches: Path, tmp_path: Path) -> None:
    import datasets
    import PIL.Image

    images = torch.randint(0, 256, (10, 28, 28), generator=seeded(0), dtype=torch.uint8)
    names = list(map(str, range(10)))
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    columns = {"image": [PIL.Image.fromarray(image.numpy()) for image in images], "label": list(range(10))}
    folder = tmp_path / "fashion-mnist" / "fashion_mnist"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        table = datasets.Dataset.from_dict(columns, features=features)
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    found = rs.data.load("fashion-mnist", root=tmp_path)
    assert torch.equal(found.images, images[:, None])
    assert found.labels.tolist() == list(range(10))
    assert data.FashionMnist().image_shape == found.images.shape[1:]


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_cache_is_replaced_and_a_changed_folder_is_read_again(
    own_caches: Path, tmp_path: Path
) -> None:
    expected = write_hub_folder(tmp_path / "root")
    rs.data.load("cifar10", root=tmp_path / "root")
    (cached,) = (own_caches / "decoded").glob("*.safetensors")
    cached.write_bytes(cached.read_bytes()[:100])
    assert torch.equal(rs.data.load("cifar10", root=tmp_path / "root").images, expected)
    other = write_hub_folder(tmp_path / "other", num_images=5)
    assert torch.equal(rs.data.load("cifar10", root=tmp_path / "other").images, other)


def test_missing_data_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        InputError, match=r"no folder 'cifar10' in the data root .*leave both away to download"
    ):
        rs.data.load("cifar10", root=tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        rs.data.load("cifar10", root=tmp_path / "nowhere")
    monkeypatch.setenv("RSC_SNN_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="RSC_SNN_DATA"):
        rs.data.load("cifar10")
    (tmp_path / "cifar10").mkdir()
    with pytest.raises(InputError, match="no parquet files"):
        rs.data.load("cifar10", root=tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_a_broken_file_is_one_line(own_caches: Path, tmp_path: Path) -> None:
    write_hub_folder(tmp_path)
    for file in (tmp_path / "cifar10" / "data").glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(InputError, match="cannot read cifar10") as caught:
        rs.data.load("cifar10", root=tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("unchecked")
def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown data set 'cifar11'; did you mean 'cifar10'?"):
        rs.data.load("cifar11")
    with pytest.raises(UnknownNameError, match="unknown split 'tests'; did you mean 'test'?"):
        rs.data.load("digits", split="tests")  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="uint8 images"):
        ImageSet.of(torch.zeros(1, 1, 2, 2), torch.zeros(1, dtype=torch.int64), ("a",))
    with pytest.raises(ShapeError, match="labels"):
        ImageSet.of(torch.zeros(2, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64), ("a",))


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "num_classes"), [("cifar10", 10), ("cifar100", 100)])
def test_the_real_images_are_complete(real_data: Path, name: str, num_classes: int) -> None:
    test = rs.data.load(name, root=real_data)
    assert test.images.shape == (10_000, 3, 32, 32)
    assert test.labels.bincount().tolist() == [10_000 // num_classes] * num_classes
    assert len(test.classes) == num_classes
    dataset = data.by_name(name)
    assert test.pixels().mean((0, 2, 3)).tolist() == pytest.approx(dataset.mean, abs=0.01)
    assert test.pixels().std((0, 2, 3)).tolist() == pytest.approx(dataset.std, abs=0.01)
    assert {"cifar10": "airplane", "cifar100": "apple"}[name] == test.classes[0]
