"""The run folder: its files by name, and the lock that keeps a second process out. Needs no torch."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rsc_snn.errors import InputError, RunFolderError
from rsc_snn.runs.activity_schema import require_activity_rows
from rsc_snn.runs.audit_schema import require_audit_rows
from rsc_snn.runs.certificate_schema import require_certificate_rows
from rsc_snn.runs.files import Row, read_rows, replace_text
from rsc_snn.runs.schema import VALIDATION, require_attack_rows, require_epoch_rows
from rsc_snn.runs.theory_schema import require_theory_rows

LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run. Nothing is created by making this object."""

    path: Path

    @property
    def spec(self) -> Path:
        """The whole specification; ``rsc-snn train`` repeats the run from it."""
        return self.path / "run.yaml"

    @property
    def environment(self) -> Path:
        """What the run was made with."""
        return self.path / "environment.json"

    @property
    def weights(self) -> Path:
        """The trained classifier."""
        return self.path / "weights.safetensors"

    @property
    def training(self) -> Path:
        """A row per epoch."""
        return self.path / "training.jsonl"

    @property
    def attacks(self) -> Path:
        """A row per attack and image."""
        return self.path / "attacks.jsonl"

    @property
    def validation(self) -> Path:
        """The same for images that training kept back; on these choices are made, not results."""
        return self.path / "validation.jsonl"

    @property
    def audit(self) -> Path:
        """A row per check of the last audit."""
        return self.path / "audit.jsonl"

    @property
    def activity(self) -> Path:
        """A row per condition and layer: what the neurons did."""
        return self.path / "activity.jsonl"

    @property
    def examples(self) -> Path:
        """A few images, and the spikes that one of them causes."""
        return self.path / "examples.safetensors"

    @property
    def certificates(self) -> Path:
        """A row per certified image."""
        return self.path / "certificates.jsonl"

    @property
    def theory(self) -> Path:
        """A row per claim of the theory that was tried."""
        return self.path / "theory.jsonl"

    @property
    def theory_images(self) -> Path:
        """An image of each data set, coded in every way, for the report."""
        return self.path / "theory-images.safetensors"

    @property
    def candidates(self) -> Path:
        """The images that won, where they were kept."""
        return self.path / "candidates.safetensors"

    @property
    def validation_candidates(self) -> Path:
        """The same of attacks on validation images."""
        return self.path / "validation-candidates.safetensors"

    @property
    def time_average(self) -> Path:
        """Width of the time-averaged attack, chosen once on validation images."""
        return self.path / "time-average.json"

    @property
    def validation_time_average(self) -> Path:
        """The same for attacks on validation images, which must not open the test set."""
        return self.path / "validation-time-average.json"

    @property
    def checkpoint(self) -> Path:
        """Everything that --resume needs."""
        return self.path / "checkpoint" / "last.pt"

    @property
    def previous_checkpoint(self) -> Path:
        """The one before it, for the day when the last one cannot be read."""
        return self.path / "checkpoint" / "previous.pt"

    @property
    def teacher(self) -> Path:
        """Run folder of a teacher that was trained for this run."""
        return self.path / "teacher"

    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.spec.is_file()

    def read_spec(self) -> dict[str, Any]:
        """Return the content of run.yaml.

        Raises:
            RunFolderError: there is no run here, or its specification cannot be read.
        """
        if not self.exists():
            raise RunFolderError(
                f"{str(self.path)!r} is not a run folder: it has no run.yaml; give a folder that "
                "'rsc-snn train' wrote"
            )
        return read_yaml(self.spec)

    def write_spec(self, data: dict[str, Any]) -> None:
        """Write run.yaml."""
        replace_text(self.spec, yaml.safe_dump(data, sort_keys=False, width=100))

    def attack_rows(self) -> list[Row]:
        """Return all complete rows of attacks.jsonl, checked."""
        rows = read_rows(self.attacks)
        require_attack_rows(rows, self.attacks)
        return rows

    def validation_rows(self) -> list[Row]:
        """Return all complete rows of validation.jsonl, checked."""
        rows = read_rows(self.validation)
        require_attack_rows(rows, self.validation, split=VALIDATION)
        return rows

    def epoch_rows(self) -> list[Row]:
        """Return all complete rows of training.jsonl, checked."""
        rows = read_rows(self.training)
        require_epoch_rows(rows, self.training)
        return rows

    def audit_rows(self) -> list[Row]:
        """Return all complete rows of audit.jsonl, checked."""
        rows = read_rows(self.audit)
        require_audit_rows(rows, self.audit)
        return rows

    def activity_rows(self) -> list[Row]:
        """Return all complete rows of activity.jsonl, checked."""
        rows = read_rows(self.activity)
        require_activity_rows(rows, self.activity)
        return rows

    def certificate_rows(self) -> list[Row]:
        """Return all complete rows of certificates.jsonl, checked."""
        rows = read_rows(self.certificates)
        require_certificate_rows(rows, self.certificates)
        return rows

    def theory_rows(self) -> list[Row]:
        """Return all complete rows of theory.jsonl, checked."""
        rows = read_rows(self.theory)
        require_theory_rows(rows, self.theory)
        return rows

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the operating system frees it if the process dies.

        Raises:
            RunFolderError: another process holds it.
        """
        from filelock import FileLock, Timeout

        created = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout as err:
            raise RunFolderError(
                f"{str(self.path)!r} is in use by another process; wait for it or choose another folder"
            ) from err
        try:
            yield
        finally:
            self._remove_if_empty(created)
            lock.release()

    def _remove_if_empty(self, created: list[Path]) -> None:
        """Leave no folder behind that was made for this lock and got nothing else."""
        if created and [path.name for path in self.path.iterdir()] == [LOCK]:
            (self.path / LOCK).unlink()
            with contextlib.suppress(OSError):  # a parent that is not empty stays
                for path in created:
                    path.rmdir()


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML mapping.

    Raises:
        InputError: the file does not exist or holds something else.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise InputError(f"no file {str(path)!r}; give the run.yaml of an earlier run") from err
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise RunFolderError(f"{str(path)!r} is not readable YAML: {' '.join(str(err).split())}") from err
    if not isinstance(data, dict):
        raise RunFolderError(f"{str(path)!r} must hold a mapping, got {type(data).__name__}")
    return data
