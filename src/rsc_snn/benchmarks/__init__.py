"""Benchmarks: this library beside its peers and its non-spiking twin, on the same weights, round by round."""
