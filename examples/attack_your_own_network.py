"""Attack and judge a torch module of your own.

    python examples/attack_your_own_network.py

Prints the clean accuracy and the worst case over FGSM and PGD, each with its 95 % interval over images.
"""

import torch
from torch import nn

import rsc_snn as rs


class Noisy(nn.Module):
    """A linear reader of digits that adds noise of its own: any module from images to logits will do."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear((images - 0.3).flatten(1))
        return logits + 0.5 * torch.randn_like(logits)


def main() -> None:
    train, test = rs.data.load("digits", split="train"), rs.data.load("digits", split="test")
    torch.manual_seed(0)
    module = Noisy()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(200):
        loss = nn.functional.cross_entropy(module(train.pixels()), train.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    classifier = rs.wrap(module.eval())
    result = rs.evaluate(
        classifier, test.pixels(), test.labels, attacks=rs.attacks.paper(eps=8 / 255), num_draws=20
    )
    for name in ("clean", "robust", "vote"):
        estimate = getattr(result.summary, name)
        print(f"{name:7} {100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]")


if __name__ == "__main__":
    main()
