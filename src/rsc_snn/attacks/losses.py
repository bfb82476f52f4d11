"""What an attacker maximises: logits and labels in, one loss per image out. Axes: R rows of a batch."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.gradients import Loss
from rsc_snn.spec import Spec

_TIED = 1e-12


@dataclass(frozen=True, kw_only=True)
class AbstractLoss(Spec):
    """A loss of single images."""

    @property
    @abstractmethod
    def is_cross_entropy(self) -> bool:
        """Whether it is -log of the true class's probability."""
        raise NotImplementedError

    @abstractmethod
    def at(self, rows: Int64[Tensor, "R"]) -> Loss:
        """Return the loss for a batch that holds these rows of the present one."""
        raise NotImplementedError

    @abstractmethod
    def started(
        self, logits: Callable[[], Float[Tensor, "B K"]], labels: Int64[Tensor, "B"], *, restart: int
    ) -> Loss:
        """Return the loss that one restart of an attack maximises.

        Args:
            logits: Gives the logits of the images before the attack, over fresh noise; only a loss that
                chooses by them asks.
            labels: True class of each image.
            restart: 0, 1, ...
        """
        raise NotImplementedError

    @abstractmethod
    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return the loss of each image; larger is worse for the network."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AbstractPlainLoss(AbstractLoss):
    """A loss that knows nothing of single images and is the same in every restart."""

    def at(self, rows: Int64[Tensor, "R"]) -> Loss:
        """Return itself."""
        return self

    def started(
        self, logits: Callable[[], Float[Tensor, "B K"]], labels: Int64[Tensor, "B"], *, restart: int
    ) -> Loss:
        """Return itself."""
        return self


@dataclass(frozen=True, kw_only=True)
class CE(AbstractPlainLoss):
    """Cross-entropy with the true class."""

    @property
    def is_cross_entropy(self) -> bool:
        """True."""
        return True

    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return -log softmax(logits)[label]."""
        return functional.cross_entropy(logits, labels, reduction="none")


@dataclass(frozen=True, kw_only=True)
class Margin(AbstractPlainLoss):
    """How far the largest other logit lies above the label's; above 0 the answer is wrong."""

    @property
    def is_cross_entropy(self) -> bool:
        """False."""
        return False

    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return max of the other logits - logits[label]."""
        return _others(logits, labels).max(-1).values - _own(logits, labels)


@dataclass(frozen=True, kw_only=True)
class DLR(AbstractPlainLoss):
    """Difference of logits ratio: the margin in units of the logits' spread [arXiv:2003.01690, Eq. 6].

    -(z_y - max of the others) / (z_1 - z_3), where z_1 >= z_2 >= z_3 are the largest logits. Logits times a
    constant, or plus one, have the same loss. Where z_1 = z_3 (up to 1e-12), and with two classes, there is
    no such unit: the margin itself is returned.
    """

    @property
    def is_cross_entropy(self) -> bool:
        """False."""
        return False

    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return the ratio; value and gradient are finite for finite logits."""
        return Margin()(logits, labels) / _spread(logits, num_below=1)


@dataclass(frozen=True, kw_only=True)
class TargetedDLR(AbstractLoss):
    """Difference of logits ratio towards one class t per image and restart [arXiv:2003.01690, Eq. 7].

    -(z_y - z_t) / (z_1 - (z_3 + z_4) / 2). The r-th restart aims at the wrong class that is the r-th most
    likely for the image before the attack; after the last one it begins again with the first. With three
    classes z_3 stands for the mean; ties and two classes are treated as in ``DLR``. An attack without
    restarts aims, at each of its steps, at the wrong class that is then the most likely.
    """

    @property
    def is_cross_entropy(self) -> bool:
        """False."""
        return False

    def at(self, rows: Int64[Tensor, "R"]) -> Loss:
        """Return itself."""
        return self

    def started(
        self, logits: Callable[[], Float[Tensor, "B K"]], labels: Int64[Tensor, "B"], *, restart: int
    ) -> Loss:
        """Return the loss towards the target of this restart."""
        others = _others(logits(), labels)
        ranked = others.argsort(dim=-1, descending=True, stable=True)[:, :-1]  # the label is the last
        return _Towards(ranked[:, restart % ranked.shape[1]])

    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return the ratio towards the most likely wrong class."""
        return _Towards(_others(logits, labels).argmax(-1))(logits, labels)


@dataclass(frozen=True)
class _Towards:
    """The targeted ratio for known targets, [B]."""

    targets: Tensor
    is_cross_entropy = False

    def at(self, rows: Tensor) -> "_Towards":
        """Return it for these rows of the batch."""
        return _Towards(self.targets[rows])

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the ratio."""
        gain = _own(logits, self.targets) - _own(logits, labels)
        return gain / _spread(logits, num_below=2)


def _own(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(-1, classes[:, None])[:, 0]


def _others(logits: Tensor, labels: Tensor) -> Tensor:
    """The logits with -inf in the place of the label's."""
    return logits.scatter(-1, labels[:, None], -torch.inf)


def _spread(logits: Tensor, *, num_below: int) -> Tensor:
    """Largest logit minus the mean of the ``num_below`` that follow the second; 1 where that is nothing."""
    largest = logits.topk(min(2 + num_below, logits.shape[-1]), dim=-1).values
    if largest.shape[-1] < 3:
        return torch.ones_like(largest[:, 0])
    spread = largest[:, 0] - largest[:, 2:].mean(-1)
    return torch.where(spread > _TIED, spread, 1.0)


EXAMPLES = (CE(), Margin(), DLR(), TargetedDLR())
