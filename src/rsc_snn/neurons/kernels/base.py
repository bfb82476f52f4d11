"""What kernels compute: spikes from a current, and the current's gradient from that of the spikes.

Axes: S steps that are given (T, or 1 where all are the same), T steps, R rows of all images one below the
other, W columns, C channels, innermost.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from rsc_snn.neurons.surrogates import AbstractSurrogate


@runtime_checkable
class Dynamics(Protocol):
    """The numbers of Eq. 1 that kernels need."""

    @property
    def decay(self) -> float:
        """Share of the membrane that a step keeps."""
        raise NotImplementedError

    @property
    def threshold(self) -> float:
        """Membrane at which a spike is fired."""
        raise NotImplementedError

    @property
    def surrogate(self) -> AbstractSurrogate:
        """Derivative of the spike."""
        raise NotImplementedError

    @property
    def detach_reset(self) -> bool:
        """Whether the gradient ignores resets."""
        raise NotImplementedError


@dataclass(frozen=True)
class Shape:
    """What a layer does besides firing.

    Attributes:
        num_steps: T.
        is_pooled: Whether spikes are averaged over squares of 2x2; R and W are even then.
    """

    num_steps: int
    is_pooled: bool = False


class AbstractKernels(ABC):
    """Spikes of the current ``values * scale + shift``, and their derivative, from rest.

    Nothing but ``values`` is needed for the derivative: membranes are computed again. The membrane of 16-bit
    values is kept in float32.
    """

    @abstractmethod
    def spikes(
        self, neuron: Dynamics, values: Tensor, scale: Tensor | None, shift: Tensor | None, shape: Shape
    ) -> Tensor:
        """Return the spikes, of the type of ``values``.

        Args:
            neuron: The neuron.
            values: [S, N], or [S, R, W, C] with S = T or 1.
            scale: [C], or None for 1.
            shift: [C], or None for 0; given where ``scale`` is.
            shape: T and pooling, which needs [S, R, W, C].

        Returns:
            [T, N], or [T, R, W, C], or [T, R / 2, W / 2, C] where it is pooled.
        """
        raise NotImplementedError

    @abstractmethod
    def gradient(
        self,
        neuron: Dynamics,
        values: Tensor,
        scale: Tensor | None,
        shift: Tensor | None,
        grad: Tensor,
        shape: Shape,
    ) -> Tensor:
        """Return the gradient with respect to the current, of the shape and type of ``values``.

        Where one step is given for all, it is the sum over steps.

        Args:
            neuron: The neuron.
            values: As for ``spikes``.
            scale: As for ``spikes``.
            shift: As for ``spikes``.
            grad: With respect to what ``spikes`` returned.
            shape: As for ``spikes``.
        """
        raise NotImplementedError
