"""Attack and judge a network made of SpikingJelly's neurons.

    pip install spikingjelly
    python examples/attack_a_spikingjelly_network.py

``rs.wrap`` resets the neurons around every call, so that the network may be called as often as an attack
likes. With a coding of this library the network gets a current [T, B, C, H, W] and returns [T, B, K].
"""

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn

import rsc_snn as rs
from rsc_snn.interop import describe

NUM_STEPS = 4


def make_network() -> nn.Module:
    def spikes() -> nn.Module:
        return neuron.LIFNode(surrogate_function=surrogate.ATan())

    network = nn.Sequential(
        layer.Conv2d(1, 16, 3, padding=1, bias=False), layer.BatchNorm2d(16), spikes(),
        layer.AvgPool2d(2), layer.Flatten(), layer.Linear(256, 64), spikes(), layer.Linear(64, 10),
    )  # fmt: skip
    functional.set_step_mode(network, "m")
    return network


def main() -> None:
    train, test = rs.data.load("digits", split="train"), rs.data.load("digits", split="test")
    torch.manual_seed(0)
    classifier = rs.wrap(make_network(), coding=rs.codings.Direct(), num_steps=NUM_STEPS).train()
    optimizer = torch.optim.Adam(classifier.parameters(), lr=5e-3)
    for _ in range(3):
        for rows in torch.randperm(len(train.labels)).split(100):
            loss = nn.functional.cross_entropy(classifier(train.pixels()[rows]), train.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    classifier.eval()
    images, labels = test.pixels()[:50], test.labels[:50]
    print(describe(classifier, images[:8]))
    result = rs.evaluate(classifier, images, labels, attacks=rs.attacks.paper(eps=16 / 255))
    assert result.summary.robust is not None
    print(f"clean {100 * result.summary.clean.value:.0f} %, robust {100 * result.summary.robust.value:.0f} %")


if __name__ == "__main__":
    main()
