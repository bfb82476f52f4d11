"""A coding of your own, trained and attacked like those of the library.

    python examples/make_your_own_coding.py

Phase coding by bits: step t shows bit t of the pixel, the most significant first.
"""

import tempfile
from dataclasses import dataclass, replace

import torch
from torch import Tensor

import rsc_snn as rs
from rsc_snn.codings import AbstractCoding
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.rng import Randomness


@dataclass(frozen=True, kw_only=True)
class Bits(AbstractCoding):
    """Shows the most significant bits of each pixel one after another; the gradient passes straight."""

    def encode(self, image: Tensor, num_steps: int, *, generator: Randomness = None) -> Tensor:
        levels = (image.detach() * 255).round().int()
        bits = torch.stack([(levels >> (7 - t)) & 1 for t in range(num_steps)]).to(image.dtype)
        return bits + (image - image.detach())

    @property
    def is_random(self) -> bool:
        return False

    @property
    def is_static(self) -> bool:
        return False


def main() -> None:
    base = by_name("digits-vgg5-direct")
    recipe = replace(base, name="digits-bits", coding=Bits(), training=replace(base.training, epochs=1))
    test = rs.data.load("digits").at(slice(20))
    with tempfile.TemporaryDirectory() as folder:
        classifier = rs.train(recipe, folder)
    result = rs.evaluate(classifier, test.pixels(), test.labels, attacks=rs.attacks.paper(eps=16 / 255))
    assert result.summary.robust is not None
    print(
        f"clean {100 * result.summary.clean.value:.0f} %, attacked {100 * result.summary.robust.value:.0f} %"
    )


if __name__ == "__main__":
    main()
