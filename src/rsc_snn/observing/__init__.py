"""Observing: what happens inside a network while it answers. Nothing here changes the network."""
