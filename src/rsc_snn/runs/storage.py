"""Saving and loading a classifier: its specification as YAML, its weights as safetensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, RangeError, RunFolderError
from rsc_snn.networks import Blueprint, BuiltNetwork
from rsc_snn.rng import derived_generator
from rsc_snn.runs.files import replace_file
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.specification import SCHEMA, require_schema
from rsc_snn.runs.zoo import find_run
from rsc_snn.spec import Spec, from_data, to_data


@dataclass(frozen=True, kw_only=True)
class ClassifierSpec(Spec):
    """Everything needed to build a classifier again, but its weights."""

    blueprint: Blueprint
    coding: AbstractCoding
    num_steps: int
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.num_steps < 1:
            raise RangeError(f"num_steps must be at least 1, got {self.num_steps}")

    @classmethod
    def of(cls, classifier: SpikingClassifier) -> "ClassifierSpec":
        """Describe a classifier whose network was built by one of our specs."""
        if not isinstance(classifier.network, BuiltNetwork):
            raise InputError(
                f"only networks built by rsc_snn.networks can be saved, got "
                f"{type(classifier.network).__name__}; save its state_dict with safetensors instead"
            )
        return cls(
            blueprint=classifier.network.blueprint,
            coding=classifier.coding,
            num_steps=classifier.num_steps,
            mean=classifier.mean_per_channel,
            std=classifier.std_per_channel,
        )

    def build(self, generator: torch.Generator | None = None) -> SpikingClassifier:
        """Return the classifier with fresh weights, in training mode, on the CPU."""
        network = self.blueprint.build(generator=generator)
        return SpikingClassifier(network, self.coding, self.num_steps, self.mean, self.std)


def save(run: str | Path, classifier: SpikingClassifier, *, data: str | None = None) -> None:
    """Save a classifier as a run folder that ``load`` and the command can read.

    Args:
        run: Folder to make; it must not hold a run yet.
        classifier: A classifier whose network was built by one of our specs.
        data: Name of the data set it is for, which ``rsc-snn attack`` then uses.

    Raises:
        RunFolderError: there is a run already.
    """
    folder = RunFolder(Path(run))
    if folder.exists():
        raise RunFolderError(f"{str(folder.path)!r} already holds a run; choose another folder")
    spec = ClassifierSpec.of(classifier)
    with folder.locked():
        save_weights(folder, classifier)
        folder.write_spec({"schema": SCHEMA, "data": data, "classifier": to_data(spec)})


def load(run: str | Path) -> SpikingClassifier:
    """Load the classifier of a run folder or of the zoo, in float32 and eval mode, on the CPU.

    Args:
        run: A path, or a name of ``rsc-snn list zoo``. What holds a separator or exists is a path.

    Raises:
        RunFolderError: there is no run and no such name, the run is unfinished, its weights are damaged or do
            not fit; or a file of the zoo is not the one that was added.
    """
    folder = RunFolder(find_run(run))
    spec = read_classifier_spec(folder)
    require_weights(folder)
    blank = spec.build(derived_generator(0, "init"))  # torch's own generator stays as it is
    return load_weights(folder, blank).eval()


def require_weights(folder: RunFolder) -> None:
    """Raise RunFolderError unless the run is finished."""
    if not folder.weights.is_file():
        raise RunFolderError(
            f"{str(folder.path)!r} has no weights.safetensors; finish it with 'rsc-snn train "
            f"{folder.spec} --out {folder.path} --resume'"
        )


def read_classifier_spec(folder: RunFolder) -> ClassifierSpec:
    """Return the ``classifier`` part of run.yaml."""
    data = require_schema(folder.read_spec(), folder)
    if "classifier" not in data:
        raise RunFolderError(f"{str(folder.spec)!r} lacks 'classifier'")
    return from_data(data["classifier"], ClassifierSpec, where="run.yaml: classifier")


def save_weights(folder: RunFolder, classifier: SpikingClassifier) -> None:
    """Write weights.safetensors atomically."""
    write_weights(folder, classifier.state_dict())


def write_weights(folder: RunFolder, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write weights.safetensors atomically, each tensor with the numbers it has."""
    kept = {name: value.detach().contiguous().cpu() for name, value in tensors.items()}
    replace_file(folder.weights, lambda temporary: save_file(kept, temporary))


def read_weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    """Return the tensors of weights.safetensors as they are there.

    Raises:
        RunFolderError: the file is damaged, or may not be read.
    """
    try:
        tensors: dict[str, torch.Tensor] = load_file(folder.weights)
    except PermissionError as err:
        raise RunFolderError(f"no permission to read {str(folder.weights)!r}; change its mode") from err
    except (SafetensorError, OSError) as err:
        raise RunFolderError(
            f"cannot read {str(folder.weights)!r}: it is damaged or cut short; restore it from a copy or "
            "train again"
        ) from err
    return tensors


def load_weights(folder: RunFolder, classifier: SpikingClassifier) -> SpikingClassifier:
    """Fill ``classifier`` with the weights of a run; those in half precision become float32.

    Raises:
        RunFolderError: the file is damaged, or is of another architecture.
    """
    tensors = read_weights(folder)
    expected = classifier.state_dict()
    if difference := _difference(expected, tensors):
        raise RunFolderError(
            f"{str(folder.weights)!r} is of another architecture than its run.yaml: {difference}; "
            "the two files must come from one run"
        )
    classifier.load_state_dict(tensors)
    if not has_finite_weights(classifier):
        raise RunFolderError(f"{str(folder.weights)!r} holds values that are not finite; train again")
    return classifier


def has_finite_weights(classifier: SpikingClassifier) -> bool:
    """Whether every parameter and every statistic is a finite number."""
    return all(bool(torch.isfinite(value).all()) for value in classifier.state_dict().values())


def _difference(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> str | None:
    """The first tensor that does not fit, in words."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} is not expected"
        if expected[name].shape != found[name].shape:
            return f"{name} should be {list(expected[name].shape)}, is {list(found[name].shape)}"
    return None
