"""Timed passes of networks that are thrown away: what an estimate of many cells multiplies."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.evaluation.estimate import seconds_there_and_back
from rsc_snn.experiments.cells.network import Network
from rsc_snn.objectives.teachers import teachers_of
from rsc_snn.processes import current_group
from rsc_snn.rng import Streams, derived_generator
from rsc_snn.training import Recipe, TrainedTeacher
from rsc_snn.training.estimate import estimate
from rsc_snn.training.step import Stepper
from rsc_snn.training.teacher import ready

_NUM_IMAGES = 8
# Training and test images: an estimate should not have to open, or download, a data set.
_SIZES = {
    "digits": (1442, 355),
    "cifar10": (50_000, 10_000),
    "cifar100": (50_000, 10_000),
    "tiny-imagenet": (100_000, 10_000),
    "imagenet": (1_281_167, 50_000),
}


@dataclass
class Probe:
    """Times the passes of each network once, on random images and fresh weights.

    Args:
        device: Any torch device.
    """

    device: torch.device
    _known: dict[tuple[str, object], float] = field(default_factory=dict, repr=False)

    def training(self, network: Network) -> float:
        """Seconds to train a network, and the teachers that are trained for it, without validation."""
        return self._once("training", network.recipe, lambda: self._training(network.recipe))

    def slope(self, network: Network) -> float:
        """Seconds of a pass there and back of one image and draw."""
        return self._once("slope", network.recipe.classifier(), lambda: self._slope(network.recipe))

    def look(self, network: Network) -> float:
        """Seconds of a pass there of one image and draw."""
        return self._once("look", network.recipe.classifier(), lambda: self._look(network.recipe))

    def num_images(self, network: Network, limit: int | None) -> int:
        """Test images that a cell of this network sees."""
        _, num_all = _SIZES[network.recipe.data.name]
        return num_all if limit is None else min(limit, num_all)

    def _once(self, what: str, subject: object, measure: Callable[[], float]) -> float:
        key = (what, repr(subject))
        if key not in self._known:
            self._known[key] = measure()
        return self._known[key]

    def _training(self, recipe: Recipe) -> float:
        settings = recipe.training
        num_all, _ = _SIZES[recipe.data.name]
        num_trained = min(num_all, settings.num_images or num_all) - settings.num_validation
        objective = ready(recipe.objective, self.device, torch.float32, train_teacher=self._built)
        stepper = Stepper(self._built(recipe), objective, settings, seed=0, group=current_group())
        num_steps = settings.epochs * max(1, num_trained // settings.batch_size)
        seconds = estimate(stepper, recipe.data, num_steps=num_steps).seconds
        teachers = [t.recipe for t in teachers_of(recipe.objective) if isinstance(t, TrainedTeacher)]
        return seconds + sum(self.training(Network(recipe=teacher)) for teacher in teachers)

    def _slope(self, recipe: Recipe) -> float:
        return seconds_there_and_back(self._built(recipe).eval(), self._images(recipe)) / _NUM_IMAGES

    def _look(self, recipe: Recipe) -> float:
        classifier, images = self._built(recipe).eval(), self._images(recipe)
        streams = Streams(0, "probe", range(len(images)))

        @torch.no_grad()
        def there() -> None:
            classifier.logits(images, streams).sum().item()

        there()  # the first one also warms up
        clock = time.perf_counter()
        there()
        return (time.perf_counter() - clock) / _NUM_IMAGES

    def _built(self, recipe: Recipe) -> SpikingClassifier:
        return recipe.classifier().build(derived_generator(0, "probe")).to(self.device)

    def _images(self, recipe: Recipe) -> Tensor:
        generator = derived_generator(0, "probe")
        return torch.rand(_NUM_IMAGES, *recipe.data.image_shape, generator=generator).to(self.device)
