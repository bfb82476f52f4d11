"""Networks: frozen specs that build torch modules. A new network is one new module in this folder."""

from rsc_snn.networks.base import AbstractNetwork, Blueprint, BuiltNetwork
from rsc_snn.networks.vgg import VGG5
from rsc_snn.registry import discover

__all__ = ["VGG5", "AbstractNetwork", "Blueprint", "BuiltNetwork"]

globals().update(discover(__name__, __path__, AbstractNetwork))
