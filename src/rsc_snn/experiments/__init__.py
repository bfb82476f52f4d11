"""Experiments: recipes as functions, found by name."""
