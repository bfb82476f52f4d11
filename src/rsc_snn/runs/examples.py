"""examples.safetensors: a few images as a network sees them, and what its neurons did. Needs no torch.

Axes: E example images, C H W image, T time steps, M neurons of a layer that are shown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from rsc_snn.errors import RunFolderError
from rsc_snn.runs.files import replace_file

SCHEMA = 1
PICTURES = ("clean", "coded", "coded_mean", "attacked")
_FACTS = "facts"
_SPIKES, _MEMBRANES = "spikes", "membranes"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class ShownLayer:
    """A layer of neurons of which some are shown.

    Attributes:
        name: Where it stands in the network.
        num_neurons: How many it has.
        neurons: Those that are shown, by their place in the flat layer: first some spread over the layer,
            whatever they do, then those that spike most with both images.
        num_spread: How many of them are spread over the layer.
        threshold: Membrane at which they fire.
    """

    name: str
    num_neurons: int
    neurons: Sequence[int]
    num_spread: int
    threshold: float


@dataclass(frozen=True, kw_only=True)
class ExampleFacts:
    """What the arrays are of.

    Attributes:
        subject: Digest of weights, specification and data.
        seed: Of all noise.
        eps: Strength of the attack, l_inf, pixel units.
        limit: Images that were observed beside these, from the first on; None is all.
        num_examples: Images that were asked for.
        asked_draws: Noise draws that were asked for.
        num_draws: Noise draws that voted: 1 where nothing varies.
        attack: The attack in full.
        coding: The coding in full.
        num_steps: T.
        classes: Names of the classes.
        indices: Position of each image in the test set.
        labels: Class of each image.
        clean_counts: Votes for each class with the clean image.
        attacked_counts: With the attacked image.
        every_pixel: 1, or n where every n-th pixel of a large image is kept.
        layers: The spiking layers whose neurons are shown, for the first image; none of a network without
            spikes.
    """

    subject: str
    seed: int
    eps: float
    limit: int | None
    num_examples: int
    asked_draws: int
    num_draws: int
    attack: str
    coding: str
    num_steps: int
    classes: Sequence[str]
    indices: Sequence[int]
    labels: Sequence[int]
    clean_counts: Sequence[Sequence[int]]
    attacked_counts: Sequence[Sequence[int]]
    every_pixel: int
    layers: Sequence[ShownLayer]


@dataclass(frozen=True)
class Examples:
    """A few images and, for the first of them, spikes and membranes.

    Attributes:
        facts: What the arrays are of.
        pictures: Pixels in [0, 1], [E, C, H, W] each: "clean", "coded" (the first step of one draw),
            "coded_mean" (its mean over T) and "attacked".
        spikes: Of each shown layer [2, T, M], true where a neuron fires: clean image, attacked image.
        membranes: Before the reset, [2, T, M].
    """

    facts: ExampleFacts
    pictures: Mapping[str, Array]
    spikes: Mapping[str, Array]
    membranes: Mapping[str, Array]


def write_examples(path: Path, examples: Examples) -> None:
    """Write the file atomically. Pixels are rounded to bytes, those of attacked images to 16-bit numbers."""
    arrays = {name: _as_bytes(examples.pictures[name]) for name in PICTURES[:-1]}
    arrays[PICTURES[-1]] = examples.pictures[PICTURES[-1]].astype(np.float16)
    for layer in examples.facts.layers:
        arrays[f"{_SPIKES}/{layer.name}"] = examples.spikes[layer.name].astype(np.bool_)
        arrays[f"{_MEMBRANES}/{layer.name}"] = examples.membranes[layer.name].astype(np.float16)
    kept = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    facts = json.dumps({"schema": SCHEMA, **asdict(examples.facts)}, allow_nan=False)
    replace_file(path, lambda temporary: save_file(kept, temporary, {_FACTS: facts}))


def read_examples(path: Path) -> Examples | None:
    """Return what was written, or None if there is no file.

    Raises:
        RunFolderError: the file is damaged, or of another version.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts = json.loads(metadata[_FACTS])
        if (schema := facts.pop("schema", None)) != SCHEMA:
            raise RunFolderError(
                f"{str(path)!r} has schema {schema!r}, this version reads {SCHEMA}; remove it and "
                "observe the run again"
            )
        return _examples(_facts(facts), arrays)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as err:
        if isinstance(err, RunFolderError):
            raise
        raise RunFolderError(
            f"cannot read {str(path)!r}: it is damaged or not of this version; remove it and observe the "
            "run again"
        ) from err


def _examples(facts: ExampleFacts, arrays: Mapping[str, Array]) -> Examples:
    pictures = {name: arrays[name].astype(np.float64) for name in PICTURES}
    for name in PICTURES[:-1]:
        pictures[name] /= 255
    names = [layer.name for layer in facts.layers]
    spikes = {name: arrays[f"{_SPIKES}/{name}"] for name in names}
    membranes = {name: arrays[f"{_MEMBRANES}/{name}"].astype(np.float64) for name in names}
    shapes = {(len(facts.labels), *picture.shape[1:]) for picture in pictures.values()}
    shown = [
        (2, facts.num_steps, len(layer.neurons)) for layer in facts.layers for _ in (_SPIKES, _MEMBRANES)
    ]
    found = [array.shape for name in names for array in (spikes[name], membranes[name])]
    if shapes != {picture.shape for picture in pictures.values()} or len(shapes) != 1 or shown != found:
        raise ValueError("the arrays do not fit what is said of them")
    return Examples(facts, pictures, spikes, membranes)


def _facts(data: dict[str, Any]) -> ExampleFacts:
    names = {field.name for field in fields(ExampleFacts)}
    if data.keys() != names:
        raise ValueError("other facts than expected")
    layers = tuple(ShownLayer(**{**layer, "neurons": tuple(layer["neurons"])}) for layer in data["layers"])
    return ExampleFacts(**{**data, "layers": layers})


def _as_bytes(pixels: Array) -> Array:
    rounded: Array = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    return rounded
