"""Attack and judge a network made of snnTorch's neurons.

    pip install snntorch
    python examples/attack_a_snntorch_network.py

The network codes by ``spikegen.rate``, as in snnTorch's tutorials. Its Bernoulli spikes pass no gradient:
the evaluation says so instead of reporting robustness. The second network is given the current by
``rs.codings.Poisson`` instead, which has one.
"""

import warnings

import snntorch as snn
import torch
from snntorch import spikegen
from torch import nn

import rsc_snn as rs
from rsc_snn.errors import WeakEvaluation

NUM_STEPS = 8


class Spiking(nn.Module):
    """Current [T, B, 1, 8, 8] -> membranes of the last layer [T, B, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 128), nn.Linear(128, 10)
        self.spikes = snn.Leaky(beta=0.9, init_hidden=True)
        self.readout = snn.Leaky(beta=0.9, init_hidden=True, reset_mechanism="none", output=True)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        hidden = [self.spikes(self.first(current_t.flatten(1))) for current_t in current]
        return torch.stack([self.readout(self.second(spikes))[1] for spikes in hidden])


class RateCoded(nn.Module):
    """Images -> logits, with a coding of its own."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(spikegen.rate(images, num_steps=NUM_STEPS)).mean(0)


def main() -> None:
    train, test = rs.data.load("digits", split="train"), rs.data.load("digits", split="test")
    torch.manual_seed(0)
    network = Spiking()
    ours = rs.wrap(network, coding=rs.codings.Poisson(), num_steps=NUM_STEPS)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(5):
        for rows in torch.randperm(len(train.labels)).split(100):
            loss = nn.functional.cross_entropy(ours(train.pixels()[rows]), train.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    images, labels = test.pixels()[:100], test.labels[:100]
    for name, classifier in (("rate coded", rs.wrap(RateCoded(network))), ("our coding", ours)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", WeakEvaluation)
            result = rs.evaluate(
                classifier.eval(), images, labels, attacks=[rs.attacks.PGD(eps=16 / 255)], num_draws=5
            )
        assert result.summary.robust is not None
        clean, robust = result.summary.clean.value, result.summary.robust.value
        print(f"{name}: clean {100 * clean:.0f} %, robust {100 * robust:.0f} %")
        for warning in caught:
            print(f"  {warning.message}")


if __name__ == "__main__":
    main()
