"""A search for the best trade-off: candidates are trained, and compared on validation images only."""
