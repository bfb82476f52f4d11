"""Evaluation: the judge, its rows, and what they add up to."""
