"""The audit: whether robustness is real, or the gradients of the attacks are of no use."""
