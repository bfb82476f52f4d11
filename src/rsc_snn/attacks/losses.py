"""What an attacker maximises: logits and labels in, one loss per image out."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from rsc_snn.gradients import Loss
from rsc_snn.spec import Spec


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
    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return the loss of each image; larger is worse for the network."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class CE(AbstractLoss):
    """Cross-entropy with the true class."""

    @property
    def is_cross_entropy(self) -> bool:
        """True."""
        return True

    def at(self, rows: Int64[Tensor, "R"]) -> Loss:
        """Return itself."""
        return self

    def __call__(self, logits: Float[Tensor, "B K"], labels: Int64[Tensor, "B"]) -> Float[Tensor, "B"]:
        """Return -log softmax(logits)[label]."""
        return functional.cross_entropy(logits, labels, reduction="none")


EXAMPLES = (CE(),)
