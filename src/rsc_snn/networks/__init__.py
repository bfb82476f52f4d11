"""Networks: frozen specs that build torch modules. A new network is one new module in this folder."""

from rsc_snn.networks.backends import backend_of, set_backend
from rsc_snn.networks.base import AbstractNetwork, Blueprint, BuiltNetwork
from rsc_snn.networks.resnet import ResNet19
from rsc_snn.networks.sew_resnet import SEWResNet18
from rsc_snn.networks.stack import set_checkpointing
from rsc_snn.networks.synced import SyncedBatchNorm, synchronise
from rsc_snn.networks.vgg import VGG5, VGG11, VGG16
from rsc_snn.registry import discover

__all__ = [
    "VGG5",
    "VGG11",
    "VGG16",
    "AbstractNetwork",
    "Blueprint",
    "BuiltNetwork",
    "ResNet19",
    "SEWResNet18",
    "SyncedBatchNorm",
    "backend_of",
    "set_backend",
    "set_checkpointing",
    "synchronise",
]

globals().update(discover(__name__, __path__, AbstractNetwork))
