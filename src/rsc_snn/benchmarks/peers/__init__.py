"""Other libraries of spiking networks. A new one is one new module in this folder."""

from rsc_snn.benchmarks.peers.base import AbstractPeer
from rsc_snn.registry import discover

__all__ = ["AbstractPeer", "installed_peers", "peers"]


def peers() -> list[AbstractPeer]:
    """Return all that are known, installed or not."""
    return [cls() for _, cls in sorted(discover(__name__, __path__, AbstractPeer).items())]


def installed_peers() -> list[AbstractPeer]:
    """Return those that are installed here."""
    return [peer for peer in peers() if peer.version is not None]
