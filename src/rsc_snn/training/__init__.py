"""Training: the recipe, the one loop, and the state it resumes from."""

from rsc_snn.interruption import Interrupted
from rsc_snn.training.place import read_recipe
from rsc_snn.training.recipe import Recipe, Training
from rsc_snn.training.start import train
from rsc_snn.training.teacher import TrainedTeacher

__all__ = ["Interrupted", "Recipe", "TrainedTeacher", "Training", "read_recipe", "train"]
