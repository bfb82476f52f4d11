"""The rows of activity.jsonl: what each layer of a network did, with clean and with changed images."""

from typing import Any

import torch

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import AbstractImageSet
from rsc_snn.observing.conditions import GRADIENT, Condition, conditions, draw_of
from rsc_snn.observing.counting import LayerActivity, count_activity, joined
from rsc_snn.observing.spread import spread
from rsc_snn.runs.activity_schema import CLEAN
from rsc_snn.runs.files import Row

BATCH_SIZE = 16


def activity_rows(
    classifier: SpikingClassifier, images: AbstractImageSet, *, eps: float, seed: int
) -> list[Row]:
    """Return a row per condition and layer, in the order of the pass.

    Every image is encoded once, with the same noise under all conditions. Rates are means over neurons and
    steps, then over images; intervals are Student's t over images. "change" is the rate minus that of the
    same clean images.

    Args:
        classifier: In eval mode.
        images: Those that can be decoded are observed.
        eps: Strength of attack and noise, l_inf, pixel units.
        seed: Of all noise.
    """
    rows: list[Row] = []
    clean: tuple[LayerActivity, ...] = ()
    for condition in conditions(eps):
        layers = _observed(classifier, images, condition, seed=seed)
        clean = layers if condition.name == CLEAN else clean
        for position, (layer, before) in enumerate(zip(layers, clean, strict=True)):
            facts: dict[str, Any] = {
                "condition": condition.name,
                "attack": None if condition.attack is None else repr(condition.attack),
                "gradient": None if condition.attack is None else repr(GRADIENT),
                "position": position,
                "num_steps": classifier.num_steps,
                "num_images": len(layer.accumulates),
            }
            rows.append(facts | _measured(layer, before, is_clean=condition.attack is None))
    return rows


def _measured(layer: LayerActivity, clean: LayerActivity, *, is_clean: bool) -> Row:
    rates, before = layer.rates, clean.rates
    is_changed = rates is not None and not is_clean
    return {
        "layer": layer.name,
        "is_spiking": layer.is_spiking,
        "num_neurons": layer.num_neurons,
        "rate": None if rates is None else spread(rates, lowest=0.0, highest=1.0),
        "change": spread(rates - before) if is_changed and before is not None and rates is not None else None,
        "silent": None if rates is None else float((~layer.fired).double().mean()),
        "accumulates": spread(layer.accumulates, lowest=0.0),
        "multiply_accumulates": spread(layer.multiply_accumulates, lowest=0.0),
        "connections": layer.connections,
    }


def _observed(
    classifier: SpikingClassifier, images: AbstractImageSet, condition: Condition, *, seed: int
) -> tuple[LayerActivity, ...]:
    parts: list[tuple[LayerActivity, ...]] = []
    for positions in torch.arange(len(images)).split(BATCH_SIZE):
        if len(found := images.at(positions).fetch()) > 0:
            changed = condition.images(classifier, found, seed=seed)
            parts.append(count_activity(classifier, changed, draw_of(found, seed=seed)))
    return joined(parts)
