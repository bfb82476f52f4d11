"""One update of the weights, the same code for all sides."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from rsc_snn.benchmarks.backends import PLAIN
from rsc_snn.benchmarks.workload import Workload

_RATE, _MOMENTUM = 1e-3, 0.9  # a small step: the activity of the network stays what it was


class Learner:
    """A network with its optimizer and a batch.

    Args:
        network: Current [T, B, C, H, W] -> logits [T, B, K].
        workload: Gives coding and batch.
        device: Where it computes.
    """

    def __init__(self, network: nn.Module, workload: Workload, device: torch.device):
        self.classifier = workload.classifier(network, device).train()
        self.images, self.labels = workload.batch(device)
        self.optimizer = torch.optim.SGD(self.classifier.parameters(), lr=_RATE, momentum=_MOMENTUM)

    def update(self) -> None:
        """Code the images, pass forward and backward, and move the weights."""
        self.step(self.images, self.labels)

    def step(self, images: Tensor, labels: Tensor) -> None:
        """Do the same with other images in [0, 1]."""
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.classifier(images), labels).backward()
        self.optimizer.step()

    def free_gradients(self) -> None:
        """Let go of what the next update computes anew."""
        self.optimizer.zero_grad(set_to_none=True)

    @property
    def state_bytes(self) -> int:
        """Bytes of weights and momentum, which are held between updates."""
        parameters = self.classifier.parameters()
        return 2 * sum(p.numel() * p.element_size() for p in parameters)


def count_flops(workload: Workload, device: torch.device) -> int:
    """Return the floating-point operations of convolutions and products of an update of the ANN twin."""
    learner = Learner(workload.twin(PLAIN), workload, device)
    with FlopCounterMode(display=False) as counter:
        learner.update()
    return int(counter.get_total_flops())
