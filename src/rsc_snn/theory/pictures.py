"""The pictures of Fig. 2a: an image of each data set in every coding, in a file read without torch."""

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import UInt8
from safetensors.torch import save_file
from torch import Tensor

from rsc_snn.data import ImageSet
from rsc_snn.rng import Streams
from rsc_snn.runs.files import replace_file
from rsc_snn.theory.noises import AbstractNoise, NoNoise, PoissonNoise, SmoothingNoise
from rsc_snn.theory.similarity import NUM_STEPS

_MEAN = f"mean over {NUM_STEPS}"
_SHOWN: tuple[tuple[str, AbstractNoise, int], ...] = (
    ("clean, direct coding", NoNoise(), 1),
    ("RSC 0.01, one step", SmoothingNoise(variance=0.01, resample_each_step=True), 1),
    ("RSC 0.1, one step", SmoothingNoise(variance=0.1, resample_each_step=True), 1),
    (f"RSC-II 0.1, {_MEAN}", SmoothingNoise(variance=0.1, resample_each_step=True), NUM_STEPS),
    ("Poisson, one step", PoissonNoise(), 1),
    (f"Poisson, {_MEAN}", PoissonNoise(), NUM_STEPS),
)


def coded_pictures(images: ImageSet, *, seed: int) -> dict[str, UInt8[Tensor, "C H W"]]:
    """Return label -> the first image in a coding, in 1/255, rounded."""
    pixels, indices = images.pixels()[:1], images.indices[:1]
    found = {}
    for label, noise, num_steps in _SHOWN:
        streams = Streams(seed, f"theory: similarity: {noise.name}", indices)
        mean = noise.encode(pixels, num_steps, generator=streams).double().mean(0)[0]
        found[label] = (255 * mean).round().to(torch.uint8)
    return found


def save_pictures(path: Path, sets: Mapping[str, ImageSet], *, seed: int) -> None:
    """Write the pictures of data sets: tensor "DATA SET/POSITION LABEL", uint8 [C, H, W].

    The metadata names the image of each data set: its index in the test split, and its class.
    """
    tensors, metadata = {}, {}
    for name, images in sets.items():
        for position, (label, picture) in enumerate(coded_pictures(images, seed=seed).items()):
            tensors[f"{name}/{position} {label}"] = picture.contiguous()
        shown = images.classes[int(images.labels[0])]
        metadata[name] = f"test image {int(images.indices[0])}, {shown}"
    replace_file(path, lambda temporary: save_file(tensors, temporary, metadata))
