"""A small random spiking network on digits, and its accuracy on fresh noise; the other examples share it."""

import torch
from torch import nn

import rsc_snn as rs


class Spiking(nn.Module):
    """Current [T, B, 1, 8, 8] -> logits [T, B, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 128), nn.Linear(128, 10)
        self.neuron = rs.neurons.LIF(decay=0.5)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        return self.second(self.neuron.over_time(2 * self.first(current.flatten(2))))


def trained() -> rs.SpikingClassifier:
    """Five epochs with randomized smoothing coding; in eval mode."""
    train = rs.data.load("digits", split="train")
    torch.manual_seed(0)
    classifier = rs.SpikingClassifier(Spiking(), rs.codings.RandomizedSmoothing(variance=0.1), num_steps=4)
    optimizer = torch.optim.Adam(classifier.parameters(), lr=5e-3)
    for _ in range(5):
        for rows in torch.randperm(len(train.labels)).split(100):
            loss = nn.functional.cross_entropy(classifier(train.pixels()[rows]), train.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return classifier.eval()


@torch.no_grad()
def accuracy(classifier: rs.SpikingClassifier, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Mean over 20 draws of noise that no attack has seen."""
    noise = rs.Streams(0, "score", range(len(images)))
    answers = [classifier.logits(images, noise).argmax(-1) for _ in range(20)]
    return float((torch.stack(answers) == labels).float().mean())
