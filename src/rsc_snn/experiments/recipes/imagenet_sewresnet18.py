"""The paper's second ImageNet network."""

from dataclasses import replace

from rsc_snn.experiments.recipes import imagenet_resnet19
from rsc_snn.networks import SEWResNet18
from rsc_snn.training import Recipe


def base() -> Recipe:
    """SEW-ResNet-18 with ADD on ImageNet, 224x224 (Tables 3, 4 and 6).

    Trained as ResNet-19 is; T=4 is also that of the SEW-ResNet paper.

    torchrun --nproc-per-node 8 -m rsc_snn train imagenet-sewresnet18-rsc0.1
    """
    return replace(imagenet_resnet19.base(), name="imagenet-sewresnet18", network=SEWResNet18())
