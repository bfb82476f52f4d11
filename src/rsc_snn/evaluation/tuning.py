"""The width of the time-averaged path, chosen once for a run on its validation images."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rsc_snn.attacks import FGSM, Suite, has_open_width, tune_width, with_width
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import RunFolderError
from rsc_snn.evaluation.images import validation_images
from rsc_snn.evaluation.plan import Attacks
from rsc_snn.gradients import TimeAverage
from rsc_snn.runs.files import replace_text
from rsc_snn.runs.folder import RunFolder

_ATTACK = FGSM(eps=8 / 255)
_NUM_DRAWS = 5
_NUM_IMAGES = 32


def with_chosen_width(
    attacks: Attacks | Sequence[Suite], choose: Callable[[], TimeAverage | None]
) -> Attacks | Sequence[Suite]:
    """Give suites with a time-averaged entry the width of ``choose``; it is not called for others.

    A suite whose width was set to something else than the default keeps it.
    """
    suites = [attacks] if isinstance(attacks, Suite) else attacks
    if not any(isinstance(item, Suite) and has_open_width(item) for item in suites):
        return attacks
    path = choose()
    if path is None:
        return attacks
    return [with_width(item, path) for item in suites if isinstance(item, Suite)]


@dataclass(frozen=True)
class TimeAverageChoice:
    """Chooses the width, and writes it into the run folder, where it is found the next time.

    Attributes:
        folder: Of the run, locked.
        path: The file that keeps it.
        classifier: Of the run, on its device.
        subject: Digest of weights and test set.
        data_root: See ``rs.data.load``.
    """

    folder: RunFolder
    path: Path
    classifier: AbstractClassifier
    subject: str
    data_root: str | Path | None

    def __call__(self) -> TimeAverage | None:
        """Return the path; None where it cannot be used."""
        if (known := self._known()) is not None:
            return known
        images = validation_images(self.folder, self.data_root).at(slice(_NUM_IMAGES)).fetch()
        device = next(self.classifier.parameters()).device
        pixels, labels = images.pixels().to(device), images.labels.to(device)
        if TimeAverage().obstacle(self.classifier, pixels[:1]) is not None:
            return None
        found = tune_width(self.classifier, pixels, labels, attack=_ATTACK, num_draws=_NUM_DRAWS)
        content = {
            "subject": self.subject,
            "width": found.best.width,
            "attack": repr(_ATTACK),
            "num_draws": _NUM_DRAWS,
            "num_images": len(pixels),
            "tried": [vars(tried) for tried in found.table],
        }
        replace_text(self.path, json.dumps(content, indent=1) + "\n")
        return found.best

    def _known(self) -> TimeAverage | None:
        """The path that the file tells of, if it is about these weights."""
        path = self.path
        if not path.is_file():
            return None
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            return TimeAverage(width=known["width"]) if known["subject"] == self.subject else None
        except (ValueError, TypeError, KeyError) as err:
            raise RunFolderError(
                f"{str(path)!r} does not tell subject and width; remove it, and the width is chosen again"
            ) from err
