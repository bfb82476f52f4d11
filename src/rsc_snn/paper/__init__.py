"""The paper as data: its numbers with their places, its claims, and checks of both. Needs no torch."""
