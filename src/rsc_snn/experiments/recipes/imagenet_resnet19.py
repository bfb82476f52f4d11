"""The paper's first ImageNet network."""

from dataclasses import replace

from rsc_snn.data import ImageNet
from rsc_snn.experiments.recipes import cifar10_vgg5
from rsc_snn.networks import ResNet19
from rsc_snn.training import Recipe


def base() -> Recipe:
    """ResNet-19 on ImageNet, 224x224 (Table 3).

    The paper states nothing of this training. Guesses, all common for residual networks on ImageNet: T=4,
    100 epochs, batch 256, rate 0.1 after five epochs of warm-up, weight decay 1e-4, bfloat16 products; batch
    normalisation is synchronised where processes share a batch. 10,000 training images validate. The stem for
    224x224 is ours: the published ResNet-19 is for 32x32.

    torchrun --nproc-per-node 8 -m rsc_snn train imagenet-resnet19-rsc0.1
    """
    cifar10 = cifar10_vgg5.base()
    training = replace(
        cifar10.training,
        epochs=100,
        batch_size=256,
        weight_decay=1e-4,
        warmup_epochs=5.0,
        num_validation=10_000,
        synchronise_norm=True,
        precision="bfloat16",
    )
    return replace(
        cifar10,
        name="imagenet-resnet19",
        data=ImageNet(),
        network=ResNet19(),
        num_steps=4,
        training=training,
    )
