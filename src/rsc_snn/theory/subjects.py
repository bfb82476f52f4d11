"""What is sampled: a layer, a patch of pixels, and changes that an attack makes to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from rsc_snn.attacks import FGSM
from rsc_snn.checks import require_images
from rsc_snn.classifier import SpikingClassifier
from rsc_snn.codings import RandomizedSmoothing
from rsc_snn.errors import InputError
from rsc_snn.evaluation.images import test_images
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier
from rsc_snn.theory.covariance import Layer, Sampled, sample_outputs
from rsc_snn.theory.layers import first_layer, identity_layer, random_layer
from rsc_snn.theory.noises import AbstractNoise

CLEAN = "no attack"
EPS = 8 / 255
_LARGE = 0.25  # where eps^2 is no longer hidden by the sampling error
_GREYS = 16  # pixels k / 16, with 0 and 1: none is so dark that its spikes are too few for a standard error
_VARIANCE = 0.1


@dataclass(frozen=True)
class Subject:
    """A layer with the pixels it sees, as they are and attacked.

    Attributes:
        layer: Where outputs come from.
        patch: Pixels x, float64 in [0, 1].
        changes: Name of an attack -> eps, with x + eps in [0, 1].
        variance: Of the Gaussian noise to try, pixel units squared.
        steps: Numbers of time steps to try.
    """

    layer: Layer
    patch: Float[Tensor, "C H W"]
    changes: Mapping[str, Float[Tensor, "C H W"]]
    variance: float
    steps: tuple[int, ...]

    @property
    def pixels(self) -> Float[Tensor, "D"]:
        """The patch as the layer's columns see it."""
        return self.patch.flatten()

    def change(self, case: str) -> Float[Tensor, "D"]:
        """Return eps of an attack, 0 without one."""
        return torch.zeros_like(self.pixels) if case == CLEAN else self.changes[case].flatten()

    @property
    def cases(self) -> tuple[str, ...]:
        """The clean patch, and each attack."""
        return (CLEAN, *self.changes)

    def sample(
        self, noise: AbstractNoise, case: str = CLEAN, *, num_steps: int = 1, num_samples: int, seed: int
    ) -> Sampled:
        """Sample the layer's outputs; each noise, case and T has random numbers of its own."""
        attacked = (self.patch + self.change(case).reshape(self.patch.shape)).clamp(0, 1)
        return sample_outputs(
            noise,
            self.layer,
            attacked,
            num_steps=num_steps,
            num_samples=num_samples,
            seed=seed,
            purpose=f"{self.layer.name}: {noise.name}: {case}: {num_steps}",
        )


def made_up_subjects(seed: int) -> list[Subject]:
    """Return single pixels and random layers of several shapes, on random pixels under random signs."""
    layers = [
        identity_layer((3, 2, 2)),
        random_layer(16, (3, 3, 3), seed=seed),
        random_layer(8, (1, 8, 8), seed=seed),
        random_layer(24, (3, 5, 5), seed=seed),
    ]
    return [_made_up(layer, seed, steps=(1, 2, 4, 8) if n == 1 else ()) for n, layer in enumerate(layers)]


def _made_up(layer: Layer, seed: int, steps: tuple[int, ...]) -> Subject:
    generator = derived_generator(seed, f"theory: pixels of {layer.name}")
    patch = torch.randint(_GREYS + 1, layer.patch_shape, generator=generator).double() / _GREYS
    patch.view(-1)[:3] = torch.tensor([0.0, 0.5, 1.0])
    signs = torch.randint(2, layer.patch_shape, generator=generator).double() * 2 - 1
    changes = {
        f"random signs, {name}": (patch + eps * signs).clamp(0, 1) - patch
        for name, eps in (("8/255", EPS), (f"{_LARGE:g}", _LARGE))
    }
    return Subject(layer, patch, changes, _VARIANCE, steps)


def run_subject(run: Path, *, data_root: Path | None, seed: int) -> Subject:
    """Return the first layer of a trained run, on its first test image, attacked by FGSM of 8/255.

    The Gaussian noise has the variance of the run's coding; 0.1 where that has none.

    Raises:
        InputError: the run, its data or its first layer cannot be had.
    """
    classifier = load_classifier(run)
    test = test_images(RunFolder(run), data_root, 1).fetch()
    if len(test) == 0:
        raise InputError(f"the first test image of {str(run)!r} cannot be decoded; replace it")
    return subject_of(classifier, test.pixels()[0], int(test.labels[0]), name=run.resolve().name, seed=seed)


def subject_of(
    classifier: SpikingClassifier, image: Float[Tensor, "C H W"], label: int, *, name: str, seed: int
) -> Subject:
    """Return the first layer of a classifier on the middle of an image, attacked by FGSM of 8/255."""
    require_images(image[None])
    channels, height, width = image.shape
    first = first_layer(classifier, (channels, height, width), name=f"first layer of {name}")
    attacked = FGSM(eps=EPS)(
        classifier, image[None], torch.tensor([label]), generator=Streams(seed, "attack", [0])
    )[0]
    patch, moved = (first.patch(pixels.double()) for pixels in (image, attacked))
    coding = classifier.coding
    is_noisy = isinstance(coding, RandomizedSmoothing) and coding.is_random
    variance = coding.variance if is_noisy and isinstance(coding, RandomizedSmoothing) else _VARIANCE
    steps = (1, classifier.num_steps) if classifier.num_steps > 1 else (1,)
    return Subject(first.layer, patch, {"FGSM, 8/255": moved - patch}, variance, steps)
