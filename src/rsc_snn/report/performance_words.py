"""What the page of a benchmark says besides numbers."""

HEAD = """# Performance

This page is made from rows by `rsc-snn benchmark`; nothing in it is written by hand. Times hold for the
machine named below, and ratios of times are safer than times. "ours" is this library, with the backend
that computes its neurons and normalisations: "plain" leaves every operation to autograd and is the
reference, "eager" is what a network has without being told, "compiled" runs kernels that torch has
compiled. To measure it again, on a machine that does nothing else:

    rsc-snn benchmark --out DIR

## How it is measured

- All sides compute the same thing on the same weights. Before anything is timed their outputs are
  compared in float64, in training and in eval mode of batch normalisation; a side whose spikes or logits
  differ is refused.
- All sides of a comparison run in one process with the same memory settings and take turns. A round runs
  each of them once, beginning with another one every time; the first round warms up and is not counted. A
  ratio is taken within each round: shown are its median over rounds and, in brackets, its lowest and
  highest round.
- "ANN" is the same network with ReLU in place of the spiking neuron, in plain torch, channels last, over
  T times B images: what the convolutions alone cost. "ANN, compiled" is the same after torch.compile; no
  goal is about it.
- SpikingJelly runs its multi-step layers and chooses its kernels itself, with the surrogate that equals
  ours. snnTorch runs a loop over time in every layer, with our surrogate; it leaves the reset out of the
  gradient. Both are measured in the faster one of two memory layouts, which the row names. Norse's neuron
  has its own surrogate.
- An update is: coding, forward pass, cross-entropy of the mean logits, backward pass, SGD with momentum.
- Peak memory is what one update or attack takes beyond what is held before it (weights, momentum), in a
  process of its own for each side, after a first one. On a CPU it is the memory of the process.
- Images are random and networks are not trained: their activity, and with it the times, is that of fresh
  weights.
"""
ABOUT = {
    "neuron": "A layer of LIF neurons alone, forward and backward.",
    "training": "One update of the weights. Share of ceiling: the floating-point operations of the ANN's "
    "update (convolutions and products, counted by torch), divided by the seconds and by what the "
    "device reaches in a product of two large matrices; work that a side avoids counts as done. "
    "Memory in MiB. Estimate: what training expects to need, divided by peak, weights and "
    "momentum together.",
    "attacks": "Ours attack a frozen copy with folded normalisation; torchattacks drives "
    "the classifier itself, with the plain and the default backend. Both take as many passes "
    "there and back. Memory in MiB.",
    "certification": "Certifying makes the noise of every draw, keyed by image, and counts votes; a plain "
    "pass sees images that are coded already.",
    "loader": "An epoch of training, and the share of it in which nothing was computed for want of images. "
    "Images from files are decoded by other processes on the same processors, which slows down "
    "the computation beside them.",
    "growth": "Ours in the eager backend, and the ANN, each beside its own first point of the same axis. "
    "An attack's step is one of PGD over that many noise draws.",
    "coldstart": "Seconds of the first update in a fresh process, without importing torch: with an empty "
    "cache of compiled code, and again with the cache that was left.",
    "ceilings": "What the device reaches in float32: bytes read and written by a copy, operations of a "
    "product.",
}
