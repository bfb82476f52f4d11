"""How a benchmark is run: where, how often, and whether only tried out."""

from dataclasses import dataclass

import torch

from rsc_snn.errors import RangeError
from rsc_snn.spec import Spec


@dataclass(frozen=True, kw_only=True)
class Settings(Spec):
    """What all cases share.

    Args:
        device: Name of a torch device.
        threads: Threads of torch on a CPU, >= 1.
        rounds: Measured repeats of every side, >= 1.
        is_quick: Whether sizes are tiny, for a first look; such times mean nothing.
    """

    device: str = "cpu"
    threads: int = 2
    rounds: int = 7
    is_quick: bool = False

    def __post_init__(self) -> None:
        for name in ("threads", "rounds"):
            if getattr(self, name) < 1:
                raise RangeError(f"--{name} expects at least 1, got {getattr(self, name)}")

    @property
    def place(self) -> torch.device:
        """The device."""
        return torch.device(self.device)
