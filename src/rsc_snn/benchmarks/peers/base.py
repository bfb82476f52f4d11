"""What the benchmarks need of another library: its neuron as a layer over time, and how it is reset."""

import importlib.metadata
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from rsc_snn.neurons import LIF
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class AbstractPeer(Spec):
    """A library of spiking networks, imported only when it is used."""

    name: ClassVar[str]
    distribution: ClassVar[str]
    has_networks: ClassVar[bool] = True  # whether whole networks are built from it, or only its neuron

    @property
    def version(self) -> str | None:
        """Version that is installed; None where there is none."""
        return version_of(self.distribution)

    @abstractmethod
    def neuron(self, neuron: LIF) -> nn.Module:
        """Return a layer: current [T, ...] -> spikes [T, ...], equal to those of ``neuron``.

        Raises:
            ImportError: the library is not installed.
        """
        raise NotImplementedError

    def stateless(self, *layers: nn.Module) -> nn.Module:
        """Return the layers, of [N, ...], as one of [T, B, ...]."""
        return OverTime(*layers)

    def reset(self, network: nn.Module) -> None:
        """Put all neurons to rest, as a user does before every batch."""

    def fed(self, current: Tensor, neuron: LIF) -> Tensor:
        """Return what the neuron has to see so that its spikes are ours; the current, if nothing else."""
        return current


class OverTime(nn.Sequential):
    """Layers that see all steps at once, as a larger batch: [T, B, ...] -> [T, B, ...]."""

    def forward(self, current_TBN: Tensor) -> Tensor:
        """Outputs of every step."""
        output = current_TBN.flatten(0, 1)
        for layer in self:
            output = layer(output)
        outputs: Tensor = output.unflatten(0, current_TBN.shape[:2])
        return outputs


def version_of(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
