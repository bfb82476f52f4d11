"""Running cells: one after another, or on a cluster; the same rows either way."""
