"""A few images for the report: as they are, coded and attacked, the answers, and spikes and membranes.

Axes: E example images, T time steps, B batch, M neurons of a layer that are shown, C H W image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import AbstractImageSet, ImageSet
from rsc_snn.evaluation.judge import collect_votes
from rsc_snn.neurons.base import AbstractSpikingNeuron
from rsc_snn.observing.conditions import ATTACKED, Condition, conditions, draw_of
from rsc_snn.observing.recording import LayerRecord, Recording, record
from rsc_snn.runs.examples import Array, ExampleFacts, Examples, ShownLayer

SPREAD_NEURONS, LOUDEST_NEURONS = 12, 12
_GOLDEN = (math.sqrt(5) - 1) / 2
_MOST_VALUES = 40_000  # of one kind of picture, so that the file stays below 300 kB
_ROWS_PER_PASS = 64


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of an observation; files that say the same need no other.

    Attributes:
        subject: Digest of weights, specification and data.
        seed: Of all noise.
        eps: Strength of the attack, l_inf, pixel units.
        limit: Images for the activity, from the first on; None is all.
        num_examples: Images that are shown.
        num_draws: Noise draws that vote.
    """

    subject: str
    seed: int
    eps: float
    limit: int | None
    num_examples: int
    num_draws: int


def make_examples(classifier: SpikingClassifier, images: ImageSet, wanted: Wanted) -> Examples:
    """Return what the report shows of ``images``; spikes and membranes are those of the first.

    Args:
        classifier: In eval mode.
        images: At least one.
        wanted: Seed, strength and draws.
    """
    clean = images.pixels()
    (attack,) = (found for found in conditions(wanted.eps) if found.name == ATTACKED)
    attacked = attack.images(classifier, images, seed=wanted.seed)
    num_draws = wanted.num_draws if classifier.varies(clean) else 1
    recordings = [_recorded(classifier, images, pixels, wanted.seed) for pixels in (clean, attacked)]
    both = zip(*(recording.layers for recording in recordings), strict=True)
    shown = [_shown(layers) for layers in both if layers[0].neuron.is_spiking]
    counts = [_votes(classifier, images, pixels, wanted, num_draws) for pixels in (clean, attacked)]
    coded = classifier.encode(clean, draw_of(images, seed=wanted.seed))
    every = _every_pixel(clean)
    pictures = {"clean": clean, "coded": coded[0], "coded_mean": coded.mean(0), "attacked": attacked}
    return Examples(
        _facts(classifier, images, wanted, attack, num_draws, counts, every, shown),
        {name: _kept(picture, every) for name, picture in pictures.items()},
        {layer.name: _traces(recordings, layer)[0] for layer in shown},
        {layer.name: _traces(recordings, layer)[1] for layer in shown},
    )


def choose_images(images: AbstractImageSet, count: int) -> Int64[Tensor, "E"]:
    """Return positions of the first images of different classes; then of the first others, if too few.

    Args:
        images: A test set.
        count: How many are wanted.
    """
    labels = images.labels.tolist()
    first = list({label: position for position, label in reversed(list(enumerate(labels)))}.values())
    chosen = sorted(first)[:count]
    rest = (position for position in range(len(labels)) if position not in set(first))
    while len(chosen) < min(count, len(labels)):
        chosen.append(next(rest))
    return torch.tensor(sorted(chosen), dtype=torch.int64)


def spread_neurons(num_neurons: int, count: int) -> list[int]:
    """Return places of a layer, spread evenly by the golden ratio, in order; all if there are no more.

    Args:
        num_neurons: Neurons of the layer.
        count: How many are wanted.
    """
    if num_neurons <= count:
        return list(range(num_neurons))
    places: dict[int, None] = {}
    number = 0
    while len(places) < count:
        number += 1
        places[int(number * _GOLDEN % 1 * num_neurons)] = None
    return sorted(places)


def loudest_neurons(num_spikes: Float[Tensor, "N"], count: int, *, but: list[int]) -> list[int]:
    """Return the neurons with the most spikes, earlier ones first among equals, in the order of their places.

    Args:
        num_spikes: Of each neuron.
        count: How many are wanted; fewer if the layer has no more.
        but: Neurons that are left out.
    """
    left = [place for place in num_spikes.argsort(descending=True, stable=True).tolist() if place not in but]
    return sorted(left[:count])


def _facts(
    classifier: SpikingClassifier,
    images: ImageSet,
    wanted: Wanted,
    attack: Condition,
    num_draws: int,
    counts: list[list[list[int]]],
    every: int,
    shown: list[ShownLayer],
) -> ExampleFacts:
    return ExampleFacts(
        subject=wanted.subject,
        seed=wanted.seed,
        eps=wanted.eps,
        limit=wanted.limit,
        num_examples=wanted.num_examples,
        asked_draws=wanted.num_draws,
        num_draws=num_draws,
        attack=repr(attack.attack),
        coding=repr(classifier.coding),
        num_steps=classifier.num_steps,
        classes=tuple(images.classes),
        indices=tuple(images.indices.tolist()),
        labels=tuple(images.labels.tolist()),
        clean_counts=counts[0],
        attacked_counts=counts[1],
        every_pixel=every,
        layers=tuple(shown),
    )


def _recorded(classifier: SpikingClassifier, images: ImageSet, pixels: Tensor, seed: int) -> Recording:
    first = images.at(slice(1))
    return record(classifier, pixels[:1], draw_of(first, seed=seed))


def _votes(
    classifier: SpikingClassifier, images: ImageSet, pixels: Tensor, wanted: Wanted, num_draws: int
) -> list[list[int]]:
    votes = collect_votes(
        classifier,
        pixels,
        images.labels,
        indices=images.indices,
        seed=wanted.seed,
        purpose="observe score",
        num_draws=num_draws,
        draw_chunk=min(num_draws, max(1, _ROWS_PER_PASS // len(images))),
    )
    found: list[list[int]] = votes.counts.tolist()
    return found


def _shown(layers: Sequence[LayerRecord]) -> ShownLayer:
    """A layer, and which of its neurons are shown, given what it did with either image."""
    layer = layers[0]
    neuron = layer.neuron
    assert isinstance(neuron, AbstractSpikingNeuron)
    num_neurons = layer.activity[0, 0].numel()
    spread = spread_neurons(num_neurons, SPREAD_NEURONS)
    num_spikes = torch.stack([each.activity[:, 0].flatten(1) for each in layers]).sum((0, 1))
    loudest = loudest_neurons(num_spikes, LOUDEST_NEURONS, but=spread)
    return ShownLayer(
        name=layer.name,
        num_neurons=num_neurons,
        neurons=(*spread, *loudest),
        num_spread=len(spread),
        threshold=neuron.threshold,
    )


def _traces(recordings: list[Recording], shown: ShownLayer) -> tuple[Array, Array]:
    """Spikes and membranes of the shown neurons, [2, T, M] each."""
    chosen = list(shown.neurons)
    spikes: list[Bool[Tensor, "T M"]] = []
    membranes: list[Float[Tensor, "T M"]] = []
    for recording in recordings:
        (layer,) = (found for found in recording.layers if found.name == shown.name)
        spikes.append(layer.activity[:, 0].flatten(1)[:, chosen].cpu() > 0)
        found = layer.membranes()
        assert found is not None
        membranes.append(found[:, 0].flatten(1)[:, chosen].cpu())
    return torch.stack(spikes).numpy(), torch.stack(membranes).numpy()


def _every_pixel(images: Tensor) -> int:
    """How far apart the pixels that are kept lie, so that the file stays small."""
    num_images, num_channels, height, width = images.shape
    every = 1
    while num_images * num_channels * -(-height // every) * -(-width // every) > _MOST_VALUES:
        every += 1
    return every


def _kept(images: Tensor, every: int) -> Array:
    return images[:, :, ::every, ::every].detach().cpu().numpy()
