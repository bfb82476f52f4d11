"""The questions that the paper leaves open, as experiments: a module each, found by its name."""
