"""How a network came about, as its model card says it. Needs no torch."""

import shlex
from collections.abc import Sequence
from typing import Any

from rsc_snn.runs.files import Row

_KIND = "kind"


def words_of(value: Any) -> str:
    """Return a part of run.yaml as it is written in Python: LIF(decay=0.5, threshold=1.0)."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={words_of(each)}" for key, each in value.items() if key != _KIND)
        return f"{value[_KIND]}({inner})" if _KIND in value else f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(words_of, value))}]"
    return str(value)


def origin_lines(
    spec: dict[str, Any], environments: Sequence[dict[str, Any]], training: Sequence[Row]
) -> list[str]:
    """Return what is known of training, reduction and measuring, a line each."""
    trained = [entry for entry in environments if "train" in entry.get("data", {})]
    measured = [entry for entry in environments if "subject" in entry]
    return [
        *_recipe(spec),
        *_training(spec, trained, training),
        *_machines("Trained", trained),
        *_machines("Measured", measured),
    ]


def _recipe(spec: dict[str, Any]) -> list[str]:
    recipe = spec.get("recipe")
    if not isinstance(recipe, dict):
        return ["It was saved by hand: how it was trained is not recorded."]
    return [
        f"Recipe `{recipe['name']}`, seed {spec.get('seed')}; `run.yaml` repeats it.",
        f"Objective `{words_of(recipe['objective'])}`.",
        f"`{words_of(recipe['training'])}`.",
    ]


def _training(spec: dict[str, Any], trained: Sequence[dict[str, Any]], rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    last = rows[-1]
    validation = last.get("validation_accuracy")
    kept = spec["recipe"]["training"]["num_validation"]
    images = f" on {trained[0]['data']['num_images'] - kept:,} images" if trained else ""
    words = [
        f"{last['epoch']} epochs{images} in {sum(row['seconds'] for row in rows) / 60:.1f} minutes",
        f"last epoch: loss {last['loss']:.3f}, {100 * last['train_accuracy']:.1f} % of training images right",
    ]
    words += [] if validation is None else [f"{100 * validation:.1f} % of {kept:,} others, which validate"]
    commands = dict.fromkeys(shlex.join(entry["command"]) for entry in trained)
    return ["; ".join(words) + ".", *(f"Command: `{command}`." for command in commands)]


def _machines(verb: str, entries: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each machine, version and commit that took part."""
    return list(dict.fromkeys(f"{verb} on {_machine(entry)}." for entry in entries))


def _machine(entry: dict[str, Any]) -> str:
    device = entry["device"]
    threads = f", {device['threads']} threads" if device.get("threads", 1) > 1 else ""
    source = entry.get("source", {})
    commit = str(source.get("commit"))[:12] + (", changed" if source.get("dirty") else "")
    versions = entry["packages"]
    return f"{device['name']}{threads}, torch {versions.get('torch')}, commit {commit}"
