"""Compiled kernels beside the plain oracle, printed as JSON: for a process without checks of annotations."""

import copy
import json

import torch
from torch import nn

import rsc_snn as rs
from rsc_snn.neurons import LIF, Sigmoid
from rsc_snn.neurons.kernels import CompiledKernels, Shape
from rsc_snn.neurons.layer import Layer


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def neuron_case(neuron: LIF, dtype: torch.dtype) -> dict[str, object]:
    current = (1.5 * torch.randn(3, 1001, generator=seeded(0))).to(dtype).requires_grad_()
    weights = torch.randn(3, 1001, generator=seeded(1)).to(dtype)
    ours = Layer(neuron, CompiledKernels(), Shape(3)).spikes(current)
    theirs = neuron.driven(current, neuron.surrogate)
    a, b = (torch.autograd.grad((spikes * weights).sum(), current)[0] for spikes in (ours, theirs))
    return {
        "neuron": repr(neuron),
        "spikes_equal": torch.equal(ours, theirs),
        "rate": float(theirs.detach().mean()),
        "gradient_error": float((a - b).abs().max() / b.abs().max()),
    }


def network_case(
    plain: rs.SpikingClassifier, compiled: rs.SpikingClassifier, batch: int
) -> dict[str, object]:
    x = torch.rand(batch, 3, 16, 16, generator=seeded(batch), dtype=torch.float64).requires_grad_()
    results = []
    for classifier in (plain, compiled):
        logits = classifier.logits(x, rs.Streams(0, "train", range(batch)))
        loss = nn.functional.cross_entropy(logits, torch.arange(batch))
        results.append((logits, torch.autograd.grad(loss, [x, *classifier.parameters()])))
    (a, gradients), (b, others) = results
    pairs = zip(gradients, others, strict=True)
    return {
        "batch": batch,
        "logits_equal": torch.equal(a, b),
        "gradient_error": max(float((u - v).abs().max() / (u.abs().max() + 1e-12)) for u, v in pairs),
    }


def main() -> None:
    # The layers of the network below have LIF() in float64.
    neuron = LIF(decay=0.9, threshold=0.7, surrogate=Sigmoid(), detach_reset=True)
    found = [neuron_case(neuron, torch.float32)]
    spec = rs.networks.VGG5(hidden_width=64, width_divisor=8)
    network = spec.build(image_shape=(3, 16, 16), generator=seeded(0))
    coding = rs.codings.RandomizedSmoothing(variance=0.1)
    plain = rs.SpikingClassifier(network, coding, 3, (0.5,), (0.25,)).double().train()
    compiled = copy.deepcopy(plain)
    rs.networks.set_backend(plain, "plain")
    rs.networks.set_backend(compiled, "compiled")
    cases = [network_case(plain, compiled, 3)]
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    cases.append(network_case(plain, compiled, 5))
    after = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    print(json.dumps({"neurons": found, "networks": cases, "compilations_of_other_batches": after - before}))


if __name__ == "__main__":
    main()
