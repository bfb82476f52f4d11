"""Training: the recipe, the one loop, and the state it resumes from."""

from rsc_snn.interruption import Interrupted
from rsc_snn.training.loop import read_recipe, train
from rsc_snn.training.recipe import Recipe, Training

__all__ = ["Interrupted", "Recipe", "Training", "read_recipe", "train"]
