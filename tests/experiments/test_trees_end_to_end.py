"""ImageNet and Tiny-ImageNet in their usual layouts, generated: train, attack and report by the command."""

import json
from pathlib import Path

import pytest
from PIL import Image

from rsc_snn.runs.files import read_rows
from tests.data.trees import smooth_noise, write_class_folders, write_tiny
from tests.training.launch import ALONE, run, together

WNIDS = [f"n{number:08}" for number in range(1000)]
SMALL = ["--set", "network.width_divisor=8", "--set", "num_steps=1", "--set", "training.batch_size=8"]
SMALL += ["--set", "training.warmup_epochs=0", "--set", "training.epochs=1"]
SMALL += ["--set", "training.num_validation=8"]
SMALL += ["--set", "training.num_images=32", "--set", "training.precision=float32", "--device", "cpu"]


def write_image_net(root: Path) -> None:
    """1,000 classes of two training images and one test image, of three sizes; some of them odd."""
    folder = root / "imagenet"
    sizes = [(60, 45), (300, 250), *8 * [(45, 60)]]
    write_class_folders(folder / "train", WNIDS, 2, sizes=sizes)
    write_class_folders(folder / "val", WNIDS, 1, sizes=sizes)
    picture = Image.fromarray(smooth_noise(80, 70, seed=5))
    for number in range(4, 60, 14):  # several, so that some of them are trained on
        train = folder / "train"
        picture.convert("L").save(train / WNIDS[number] / f"{WNIDS[number]}_0.JPEG")
        picture.convert("CMYK").save(train / WNIDS[number + 1] / f"{WNIDS[number + 1]}_0.JPEG")
        corrupt = train / WNIDS[number + 2] / f"{WNIDS[number + 2]}_0.JPEG"
        corrupt.write_bytes(corrupt.read_bytes()[:200])
    broken = folder / "val" / WNIDS[3] / f"{WNIDS[3]}_0.JPEG"
    broken.write_bytes(broken.read_bytes()[:200])


@pytest.fixture(scope="module")
def image_net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_image_net(root)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [ALONE, together(2)], ids=["one process", "two processes"])
def test_image_net_trains_end_to_end(tmp_path: Path, image_net: Path, launcher: tuple[str, ...]) -> None:
    folder = tmp_path / "run"
    words = ["train", "imagenet-sewresnet18-rsc0.1", "--out", str(folder), *SMALL]
    done = run([*launcher, *words, "--set", "training.num_workers=1", "--data-root", str(image_net)])
    (row,) = read_rows(folder / "training.jsonl")
    assert 0 <= row["num_skipped"] <= 4
    assert row["num_train"] + row["num_skipped"] == 24
    assert done.stderr.count("is left out") >= row["num_skipped"]
    words = ["attack", str(folder), "--limit", "5", "--draws", "2", "--batch-size", "3", "--device", "cpu"]
    done = run([*launcher, *words, "--data-root", str(image_net)])
    assert "1 of 5 test images cannot be decoded and have no rows" in done.stderr
    rows = read_rows(folder / "attacks.jsonl")
    assert sorted({row["index"] for row in rows}) == [0, 1, 2, 4]
    assert [row["label"] for row in rows if row["entry"] == "worst"] == [0, 1, 2, 4]


@pytest.mark.slow
def test_tiny_image_net_trains_end_to_end_with_a_teacher_and_an_adversary(tmp_path: Path) -> None:
    write_tiny(tmp_path / "data", WNIDS[:200])
    folder = tmp_path / "run"
    words = ["train", "tiny-imagenet-vgg16-ersct-adv", "--out", str(folder), *SMALL]
    teacher = "objective.objective.teacher.recipe"
    changes = {"network.width_divisor": 8, "training.batch_size": 8, "training.epochs": 1}
    changes |= {"training.num_images": 32, "training.num_validation": 8, "training.warmup_epochs": 0}
    words += [word for name, value in changes.items() for word in ("--set", f"{teacher}.{name}={value}")]
    run([*ALONE, *words, "--data-root", str(tmp_path / "data")])
    assert len(read_rows(folder / "training.jsonl")) == 1
    assert len(read_rows(folder / "teacher" / "training.jsonl")) == 1
    words = ["attack", str(folder), "--limit", "2", "--draws", "2", "--data-root", str(tmp_path / "data")]
    run([*ALONE, *words])
    assert len(read_rows(folder / "attacks.jsonl")) == 6
    run([*ALONE, "report", str(folder)])
    assert (folder / "report.html").is_file()
    entries = json.loads((folder / "environment.json").read_text())
    assert entries[0]["data"]["num_images"] == 32


@pytest.mark.slow
def test_swapped_splits_are_one_line_and_leave_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "imagenet"
    write_class_folders(folder / "val", WNIDS, 2, sizes=[(8, 8)])
    write_class_folders(folder / "train", WNIDS, 1, sizes=[(8, 8)])
    words = ["train", "imagenet-resnet19-direct", "--out", str(tmp_path / "run"), *SMALL]
    done = run([*ALONE, *words, "--data-root", str(tmp_path / "data")], status=2)
    assert done.stderr.count("\n") == 1
    assert "holds fewer images in train (1000) than in val (2000); are they swapped?" in done.stderr
    assert not (tmp_path / "run").exists()
