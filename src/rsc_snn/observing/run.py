"""Observing a run folder: its data, its classifier, activity.jsonl and examples.safetensors."""

from pathlib import Path

import torch

from rsc_snn.checks import require_counts
from rsc_snn.data import AbstractImageSet
from rsc_snn.errors import InputError
from rsc_snn.evaluation.images import test_images
from rsc_snn.evaluation.run import subject_of
from rsc_snn.networks.folding import folded
from rsc_snn.observing.activity import BATCH_SIZE, activity_rows
from rsc_snn.observing.conditions import conditions
from rsc_snn.observing.examples import Wanted, choose_images, make_examples
from rsc_snn.outofmemory import memory_told
from rsc_snn.runs.environment import describe_environment, write_environment
from rsc_snn.runs.examples import read_examples, write_examples
from rsc_snn.runs.files import read_environments, replace_rows
from rsc_snn.runs.folder import RunFolder
from rsc_snn.runs.storage import load as load_classifier


def observe_run(
    run: str | Path,
    *,
    limit: int | None = 64,
    num_examples: int = 6,
    num_draws: int = 20,
    seed: int = 0,
    eps: float = 8 / 255,
    device: str | torch.device = "cpu",
    data_root: str | Path | None = None,
) -> None:
    """Observe the classifier of a run and write activity.jsonl and examples.safetensors in its folder.

    Batch normalisation is folded into the convolutions before it, as when it is attacked. Files of an earlier
    observation are replaced at the end; if they say the same as what is asked for, nothing is computed.

    Args:
        run: Its folder.
        limit: Test images whose activity is measured, from the first on; None is all.
        num_examples: Images that are shown, the first ones of different classes.
        num_draws: Noise draws that vote for the class of an image that is shown.
        seed: Of all noise.
        eps: Strength of PGD and of uniform noise, l_inf, pixel units.
        device: Any torch device.
        data_root: See ``rs.data.load``.

    Raises:
        InputError: the run or an option does not fit, or no image can be decoded.
    """
    require_counts(limit=limit, num_examples=num_examples, num_draws=num_draws)
    conditions(eps)
    folder, place = RunFolder(Path(run)), torch.device(device)
    classifier = load_classifier(run).to(place)
    full = test_images(folder, data_root, None)
    wanted = Wanted(
        subject=subject_of(folder, full),
        seed=seed,
        eps=eps,
        limit=limit,
        num_examples=num_examples,
        num_draws=num_draws,
    )
    with folder.locked(), memory_told(f"{BATCH_SIZE} images in a batch", "--device cpu"):
        if _is_there(folder, wanted):
            return
        read_environments(folder.environment)  # a damaged file is refused before the work, not after
        classifier.network = folded(classifier.network)
        shown = full.at(choose_images(full, num_examples)).to(place).fetch()
        observed = full.at(slice(limit)).to(place)
        if len(shown) == 0 or len(_first(observed)) == 0:
            raise InputError("not one of the first test images can be decoded; check the images")
        rows = activity_rows(classifier, observed, eps=eps, seed=seed)
        examples = make_examples(classifier, shown, wanted)
        asked = {"seed": seed, "eps": eps, "limit": limit, "subject": wanted.subject}
        write_environment(folder.environment, describe_environment(place, seed=seed, subject=wanted.subject))
        write_examples(folder.examples, examples)
        replace_rows(folder.activity, [row | asked for row in rows])


def _first(images: AbstractImageSet) -> AbstractImageSet:
    return images.at(slice(BATCH_SIZE)).fetch()


def _is_there(folder: RunFolder, wanted: Wanted) -> bool:
    """Whether both files say that they hold what is wanted; damaged ones are refused."""
    rows = folder.activity_rows()
    examples = read_examples(folder.examples)
    if not rows or examples is None:
        return False
    facts = examples.facts
    asked = (wanted.subject, wanted.seed, wanted.eps, wanted.limit)
    return all((row["subject"], row["seed"], row["eps"], row["limit"]) == asked for row in rows) and (
        facts.subject,
        facts.seed,
        facts.eps,
        facts.limit,
        facts.num_examples,
        facts.asked_draws,
    ) == (*asked, wanted.num_examples, wanted.num_draws)
