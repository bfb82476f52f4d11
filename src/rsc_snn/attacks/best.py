"""The worst point seen so far, for each image. Axes: R rows of a batch."""

import torch
from torch import Tensor

from rsc_snn.gradients import Level


class Best:
    """Keeps, for each image, the point that hurts the network the most.

    That is the point of highest loss. If ``wrong_first``, a wrong answer goes before any loss: right where
    answers do not vary. Where they do, an error may be one unlucky draw, and only the mean loss counts.

    Args:
        images: Stand for the points until one is seen, [B, C, H, W].
        wrong_first: Whether a wrongly answered point beats every correctly answered one.
    """

    def __init__(self, images: Tensor, *, wrong_first: bool):
        self.points = images.clone()
        self.loss = images.new_full((len(images),), -torch.inf)
        self.wrong = torch.full_like(self.loss, -torch.inf)
        self._wrong_first = wrong_first

    def see(self, points: Tensor, level: Level, *, rows: Tensor | None = None) -> Tensor:
        """Take in a point of each image, or of those in ``rows``; return which are the best so far, [R].

        Of equals the first stays. A loss that is NaN counts as the lowest.
        """
        there = slice(None) if rows is None else rows
        loss = level.loss.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        is_better = loss > self.loss[there]
        if self._wrong_first:
            wrong = self.wrong[there]
            is_better = (level.wrong > wrong) | ((level.wrong == wrong) & is_better)
        self.points[there] = torch.where(is_better[:, None, None, None], points, self.points[there])
        self.loss[there] = torch.where(is_better, loss, self.loss[there])
        self.wrong[there] = torch.where(is_better, level.wrong, self.wrong[there])
        return is_better

    def reconsider(self, level: Level) -> None:
        """Replace what is known of every best point by what other draws say of it."""
        self.loss = level.loss.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        self.wrong = level.wrong.clone()
