"""Images in files: the same bits whoever decodes them, odd files named and left out, workers that go away."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import rsc_snn as rs
from rsc_snn.data import Augmentation, FileSet, ImageSet, TinyImageNet, default_num_workers
from rsc_snn.data.views import View
from rsc_snn.errors import InputError, UnreadableImage
from tests.data.trees import (
    CMYK,
    CORRUPT,
    GREY,
    NO_IMAGE,
    PALETTE,
    SmallPhotos,
    by_index,
    listed,
    positions,
    write_class_folders,
    write_photos,
    write_tiny,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # a machine with one core
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    write_photos(folder)
    return folder


def load(root: Path, split: rs.data.Split = "train") -> FileSet:
    return listed(SmallPhotos().load(split, root))


@pytest.fixture
def train(root: Path) -> FileSet:
    return load(root)


@pytest.fixture(scope="module")
def odd(root: Path) -> list[int]:
    """Indices of the two files that are no images."""
    names = [load(root).source.name(i) for i in range(250)]
    return [next(i for i, name in enumerate(names) if name.endswith(end)) for end in (CORRUPT, NO_IMAGE)]


class TestWhatIsListed:
    def test_labels_follow_the_class_folders(self, train: FileSet) -> None:
        assert len(train) == 250
        assert train.classes == ("n01", "n02", "n03", "n04", "n05")
        assert train.labels.tolist() == [k for k in range(5) for _ in range(50)]
        assert train.indices.tolist() == list(range(250))
        for i in (0, 77, 249):
            assert Path(train.source.name(i)).parent.name == train.classes[int(train.labels[i])]
        names = [train.source.name(i) for i in range(250)]
        assert names == sorted(names)
        assert not any("hidden" in name or "Thumbs" in name for name in names)

    def test_a_part_keeps_indices_and_labels(self, train: FileSet) -> None:
        part = train.at(torch.tensor([240, 3])).at(slice(1))
        assert part.indices.tolist() == [240]
        assert part.labels.tolist() == [4]
        rest, validation = train.carve(50, seed=0)
        assert validation.labels.bincount().tolist() == [10] * 5
        assert set(rest.indices.tolist()) | set(validation.indices.tolist()) == set(range(250))

    def test_a_folder_is_scanned_again_only_if_it_changed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = write_photos(tmp_path)
        before = load(tmp_path)
        original, scanned = os.scandir, list[str]()

        def counted(path: str) -> object:
            scanned.append(Path(path).name)
            return original(path)

        monkeypatch.setattr("rsc_snn.data.listing.os.scandir", counted)
        assert load(tmp_path).fingerprint() == before.fingerprint()
        assert set(scanned) == {"train", "val"}, "only the lists of classes"
        (folder / "train" / "n02" / "n02_3.JPEG").unlink()
        assert len(load(tmp_path)) == 249
        assert scanned.count("n02") == 1
        assert "n01" not in scanned


class TestStream:
    groups: ClassVar[list[list[int]]] = [[5, 200, 17], [3, 50, 55, 150, 100], [249]]

    @pytest.mark.parametrize("num_workers", [0, 1, 2])
    @pytest.mark.parametrize("is_altered", [False, True])
    def test_images_do_not_depend_on_groups_or_workers(
        self, train: FileSet, num_workers: int, is_altered: bool
    ) -> None:
        alter = Augmentation(dataset=train.dataset, seed=3, draw=7) if is_altered else None
        everything = [i for group in self.groups for i in group]
        singles = by_index(
            train.stream(positions(*([i] for i in everything)), device="cpu", augmentation=alter)
        )
        found = list(
            train.stream(positions(*self.groups), device="cpu", augmentation=alter, num_workers=num_workers)
        )
        assert [part.indices.tolist() for part in found] == self.groups
        assert [part.labels.tolist() for part in found] == [[i // 50 for i in g] for g in self.groups]
        assert all(part.images.shape[1:] == (3, 24, 24) for part in found)
        assert all(part.images.is_contiguous() and part.images.dtype == torch.uint8 for part in found)
        assert by_index(found) == singles
        assert len(set(singles.values())) == len(everything)
        part = train.at(torch.tensor(everything)).stream(
            positions(range(len(everything))), device="cpu", augmentation=alter
        )
        assert by_index(part) == singles, "positions are those in the part, numbers those of the index"

    def test_every_draw_shows_another_part_and_testing_always_the_same(self, train: FileSet) -> None:
        def found(alter: Augmentation | None) -> dict[int, bytes]:
            return by_index(train.stream(positions([1, 2]), device="cpu", augmentation=alter))

        views = [
            found(Augmentation(dataset=train.dataset, seed=seed, draw=draw))
            for seed, draw in ((0, 0), (0, 1), (1, 0))
        ]
        views.append(found(None))
        assert len({view[1] for view in views}) == len({view[2] for view in views}) == 4
        assert found(None) == views[-1]

    def test_the_numbers_are_those_of_the_stream_augment(self, train: FileSet) -> None:
        """The crop of image 17 in draw 5 is the view of the numbers that Streams gives it."""
        numbers = (
            rs.Streams(3, "augment", [17])
            .starting_at(5)
            .uniform((23,), num_steps=1, device=torch.device("cpu"))
        )
        chosen: list[Sequence[float] | None] = []

        @dataclass(frozen=True, kw_only=True)
        class Spy(SmallPhotos):
            def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
                chosen.append(numbers)
                return View(0, 0, width, height)

        spied = replace(train, dataset=Spy())
        alter = Augmentation(dataset=Spy(), seed=3, draw=5)
        list(spied.stream(positions([4, 17]), device="cpu", augmentation=alter))
        assert chosen[1] == numbers[0, 0].tolist()

    def test_only_its_own_data_set_may_alter_it(self, train: FileSet) -> None:
        alter = Augmentation(dataset=rs.data.Digits(), seed=0, draw=0)
        with pytest.raises(
            InputError, match=r"images of SmallPhotos\(\) can only be altered as it says, got Digits"
        ):
            next(train.stream(positions([0]), device="cpu", augmentation=alter))

    def test_torchs_own_generator_stays_as_it_is(self, train: FileSet) -> None:
        before = torch.get_rng_state()
        list(train.stream(positions([0, 1]), device="cpu", num_workers=1))
        assert torch.equal(torch.get_rng_state(), before)

    def test_an_iterator_that_is_closed_stops_its_workers(self, train: FileSet) -> None:
        stream = train.stream(positions(*([i] for i in range(100))), device="cpu", num_workers=2)
        next(stream)
        assert len(multiprocessing.active_children()) == 2
        stream.close()
        assert multiprocessing.active_children() == []


class TestUnreadableImages:
    @pytest.mark.parametrize("num_workers", [0, 2])
    def test_they_are_named_once_left_out_and_counted(
        self, root: Path, odd: list[int], num_workers: int
    ) -> None:
        train = load(root)
        group = [odd[0], 1, odd[1], 2]
        with pytest.warns(UnreadableImage) as caught:
            (found,) = train.stream(positions(group), device="cpu", num_workers=num_workers)
        assert found.indices.tolist() == [1, 2]
        assert found.labels.tolist() == [0, 0]
        messages = sorted(str(warning.message) for warning in caught)
        assert len(messages) == 2
        assert f"{CORRUPT}' is left out: " in messages[0]
        assert "truncated" in messages[0]
        assert f"{NO_IMAGE}' is left out: not an image" in messages[1]
        assert sorted(train.unreadable) == sorted(odd)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (again,) = train.at(torch.tensor(group)).stream(positions(range(4)), device="cpu")
        assert torch.equal(again.images, found.images)
        assert len(train.unreadable) == 2

    @pytest.mark.filterwarnings("ignore::rsc_snn.errors.UnreadableImage")
    @pytest.mark.parametrize("num_workers", [0, 1])
    def test_a_group_of_nothing_else_is_empty(self, train: FileSet, odd: list[int], num_workers: int) -> None:
        groups = positions([0], odd, [1, 2])
        sizes = [1, 0, 2]
        for part, size in zip(
            train.stream(groups, device="cpu", num_workers=num_workers), sizes, strict=True
        ):
            assert part.images.shape == (size, 3, 24, 24)
            assert part.images.dtype == torch.uint8
            assert part.labels.shape == part.indices.shape == (size,)
            assert part.classes == train.classes
            assert part.pixels().shape == (size, 3, 24, 24)

    @pytest.mark.filterwarnings("ignore::rsc_snn.errors.UnreadableImage")
    def test_in_memory_they_are_missing(self, train: FileSet, odd: list[int]) -> None:
        found = train.fetch()
        assert isinstance(found, ImageSet)
        assert found.indices.tolist() == [i for i in range(250) if i not in odd]
        assert found.labels.tolist() == [i // 50 for i in found.indices.tolist()]
        assert torch.equal(train.at(slice(20)).images, found.images[:20])
        assert torch.equal(train.at(slice(20)).pixels(), found.images[:20] / 255)
        nothing = train.at(torch.tensor(odd)).fetch()
        assert nothing.images.shape == (0, 3, 24, 24)
        assert len(train.at(slice(0)).fetch()) == 0

    def test_a_file_that_is_gone_is_one_of_them(self, tmp_path: Path) -> None:
        folder = write_photos(tmp_path)
        train = load(tmp_path)
        (folder / "train" / "n01" / "n01_0.JPEG").unlink()
        with pytest.warns(UnreadableImage, match="No such file"):
            (found,) = train.stream(positions([0, 1]), device="cpu")
        assert found.indices.tolist() == [1]
        assert train.at(slice(1)).fingerprint() != load(tmp_path).at(slice(1)).fingerprint()

    def test_a_link_that_leads_nowhere_is_one_of_them(self, tmp_path: Path) -> None:
        folder = write_photos(tmp_path)
        (folder / "train" / "n01" / "n01_00.JPEG").symlink_to(tmp_path / "gone.JPEG")
        (folder / "train" / "n01" / "n01_000.JPEG").symlink_to(folder / "train" / "n01" / "n01_0.JPEG")
        train = load(tmp_path)
        assert len(train) == 252
        names = [Path(train.source.name(i)).name for i in range(3)]
        assert names == ["n01_0.JPEG", "n01_00.JPEG", "n01_000.JPEG"]
        with pytest.warns(UnreadableImage, match=r"n01_00.JPEG' is left out: .*No such file"):
            found = train.at(slice(3)).fetch()
        assert found.indices.tolist() == [0, 2]
        assert torch.equal(found.images[0], found.images[1])

    def test_grey_cmyk_and_palette_images_are_not(self, train: FileSet) -> None:
        names = [train.source.name(i) for i in range(250)]
        chosen = [i for i, name in enumerate(names) if name.endswith((GREY, CMYK, PALETTE))]
        assert len(chosen) == 3
        grey, *_ = train.at(torch.tensor(chosen)).fetch().images
        assert torch.equal(grey[0], grey[1])
        assert not train.unreadable


class TestFingerprint:
    def test_it_follows_names_sizes_and_labels(self, tmp_path: Path) -> None:
        folder = write_photos(tmp_path)
        train = load(tmp_path)
        first = train.fingerprint()
        assert load(tmp_path).fingerprint() == first
        assert train.at(slice(249)).fingerprint() != first
        assert replace(train, labels=train.labels.flip(0)).fingerprint() != first
        file = folder / "train" / "n02" / "n02_1.JPEG"
        file.write_bytes(file.read_bytes() + b"\0")
        assert train.fingerprint() != first
        file.rename(file.with_name("n02_1b.JPEG"))
        assert load(tmp_path).fingerprint() not in (first, train.fingerprint())

    def test_it_does_not_follow_the_place(self, tmp_path: Path, root: Path) -> None:
        write_photos(tmp_path)
        assert load(tmp_path).fingerprint() == load(root).fingerprint()


def wait(seconds: float) -> None:
    """Let time pass in Python, which handles signals meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


class TestWorkers:
    def test_they_leave_signals_to_the_main_process_and_use_one_thread(self, train: FileSet) -> None:
        @dataclass(frozen=True, kw_only=True)
        class Confession(SmallPhotos):
            def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
                ignored = [
                    signal.getsignal(number) is signal.SIG_IGN for number in (signal.SIGINT, signal.SIGTERM)
                ]
                raise ValueError(f"{ignored} {torch.get_num_threads()} {os.getpid() != parent}")

        parent = os.getpid()
        asked = replace(train, dataset=Confession(), unreadable={})
        with pytest.warns(UnreadableImage, match=r"\[True, True\] 1 True"):
            list(asked.stream(positions([0]), device="cpu", num_workers=1))

    def test_one_that_is_killed_is_told_in_a_line(self, train: FileSet) -> None:
        @dataclass(frozen=True, kw_only=True)
        class Deadly(SmallPhotos):
            def view(self, width: int, height: int, numbers: Sequence[float] | None) -> View:
                os.kill(os.getpid(), signal.SIGKILL)
                raise AssertionError

        killed = replace(train, dataset=Deadly())
        with pytest.raises(
            InputError, match=r"a process that decodes images died .*enlarge /dev/shm"
        ) as caught:
            list(killed.stream(positions([0]), device="cpu", num_workers=1))
        assert "\n" not in str(caught.value)

    def test_one_that_is_killed_meanwhile_is_told_in_a_line(self, train: FileSet) -> None:
        """Torch raises wherever the main thread is: here, in the body of the loop."""
        stream = train.stream(positions(*([i] for i in range(100))), device="cpu", num_workers=2)
        expected = pytest.raises(InputError, match=r"a process that decodes images died .*killed")
        with expected, rs.data.worker_deaths_told():
            next(stream)
            os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
            wait(10)
        stream.close()
        assert multiprocessing.active_children() == []

    def test_other_errors_pass(self) -> None:
        with pytest.raises(RuntimeError, match="^something else$"), rs.data.worker_deaths_told():
            raise RuntimeError("something else")

    @pytest.mark.parametrize(("ending", "status"), [("", 0), ("raise ValueError('last words')", 1)])
    def test_python_exits_while_a_stream_is_open(self, tmp_path: Path, ending: str, status: int) -> None:
        write_class_folders(tmp_path / "train", ("a", "b"), 20, sizes=[(16, 16)])
        write_class_folders(tmp_path / "test", ("a", "b"), 1, sizes=[(16, 16)])
        script = f"""
            import torch, rsc_snn as rs
            images = rs.data.load({str(tmp_path)!r}, split="train")
            stream = images.stream(torch.arange(40).split(1), device="cpu", num_workers=2)
            print(len(next(stream)))
            {ending}
        """
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == "1\n"
        assert done.returncode == status, done.stderr
        words = done.stderr.strip().splitlines()
        assert words[-1:] == (["ValueError: last words"] if status else [])

    def test_their_number_is_a_share_of_the_cores(self) -> None:
        cores = default_num_workers()
        assert 1 <= cores <= (os.cpu_count() or 1)
        assert default_num_workers(10**6) == 1
        assert default_num_workers(2) == max(1, min(16, cores // 2))

    def test_their_number_has_a_ceiling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(96)), raising=False)
        assert [default_num_workers(n) for n in (1, 4, 8, 96)] == [16, 16, 12, 1]

    @pytest.mark.parametrize("num_groups", [1, 2])
    def test_there_are_not_more_than_groups(self, train: FileSet, num_groups: int) -> None:
        stream = train.stream(positions(*([i] for i in range(num_groups))), device="cpu", num_workers=3)
        next(stream)
        assert len(multiprocessing.active_children()) == num_groups
        stream.close()
        assert list(train.stream([], device="cpu", num_workers=3)) == []

    def test_a_set_in_memory_holds_no_files_open(
        self, train: FileSet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a worker sends lies in memory that is shared through a file descriptor."""
        expected = train.at(slice(120)).fetch()
        monkeypatch.setattr("rsc_snn.data.fileset._GROUP", 1)
        monkeypatch.setattr("rsc_snn.data.fileset._WORTH_WORKERS", 1)
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        num_open = len(os.listdir("/dev/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (num_open + 60, limits[1]))
        try:
            found = train.at(slice(120)).fetch()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert torch.equal(found.images, expected.images)
        assert torch.equal(found.labels, expected.labels)
        assert torch.equal(found.indices, expected.indices)

    @pytest.mark.slow
    def test_they_may_be_started_from_scratch(self, train: FileSet, monkeypatch: pytest.MonkeyPatch) -> None:
        """As on macOS and Windows, where they inherit nothing."""
        expected = by_index(train.stream(positions([1, 2], [3]), device="cpu"))
        before = multiprocessing.get_start_method(allow_none=True)
        multiprocessing.set_start_method("spawn", force=True)
        try:
            found = by_index(train.stream(positions([1, 2], [3]), device="cpu", num_workers=1))
        finally:
            multiprocessing.set_start_method(before, force=True)
        assert found == expected


class TestBesideMemory:
    def test_tiny_imagenet_is_altered_alike_in_files_and_in_memory(self, tmp_path: Path) -> None:
        write_tiny(tmp_path, [f"n{i:08}" for i in range(200)])
        train = listed(TinyImageNet().load("train", tmp_path))
        groups = positions([7, 3], [12, 399, 0])
        alter = Augmentation(dataset=TinyImageNet(), seed=1, draw=4096)
        streamed = list(train.stream(groups, device="cpu", augmentation=alter))
        kept = list(train.fetch().stream(groups, device="cpu", augmentation=alter))
        for one, other in zip(streamed, kept, strict=True):
            assert torch.equal(one.images, other.images)
            assert torch.equal(one.labels, other.labels)
            assert torch.equal(one.indices, other.indices)
        plain = next(train.stream(groups, device="cpu"))
        assert not torch.equal(plain.images, streamed[0].images)

    def test_images_in_memory_are_altered_as_the_training_loop_does(self) -> None:
        digits = rs.data.load("digits", split="train")
        dataset, group, draw = rs.data.Digits(), torch.tensor([9, 2, 1400]), 3 * 2**12
        generator = rs.Streams(5, "augment", digits.indices[group]).starting_at(draw)
        expected = dataset.augment(digits.at(group).images, generator=generator)
        alter = Augmentation(dataset=dataset, seed=5, draw=draw)
        altered, plain = (
            next(digits.stream([group], device="cpu", augmentation=how, num_workers=2))
            for how in (alter, None)
        )
        assert torch.equal(altered.images, expected)
        assert torch.equal(plain.images, digits.images[group])
        assert torch.equal(altered.labels, digits.labels[group])
        assert torch.equal(altered.indices, group)
        assert digits.fetch() is digits

    def test_photos_in_memory_show_the_same_part_as_in_files(self, train: FileSet) -> None:
        """Files of the size that is shown: Pillow and torch interpolate alike, up to rounding."""
        kept = train.at(torch.tensor([0, 60, 120])).fetch()
        alter = Augmentation(dataset=SmallPhotos(), seed=0, draw=0)
        altered = next(kept.stream(positions([0, 1, 2]), device="cpu", augmentation=alter))
        numbers = alter.streams(kept.indices).uniform((23,), num_steps=1, device=torch.device("cpu"))[0]
        for i in range(3):
            view = SmallPhotos().view(24, 24, numbers[i].tolist())
            rows, columns = slice(int(view.top), int(view.bottom)), slice(int(view.left), int(view.right))
            part = kept.images[i, :, rows, columns].permute(1, 2, 0).numpy()
            shown = Image.fromarray(part).resize((24, 24), Image.Resampling.BILINEAR)
            if view.is_mirrored:
                shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            expected = torch.from_numpy(np.array(shown)).permute(2, 0, 1)
            assert (altered.images[i].int() - expected.int()).abs().max() <= 2
