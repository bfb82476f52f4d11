"""The words of ``--set``."""

from collections.abc import Sequence

from rsc_snn.errors import InputError
from rsc_snn.spec import with_setting
from rsc_snn.training import Recipe


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """Return the recipe with words such as ``training.epochs=3`` applied, one after another.

    Raises:
        InputError: a word is no FIELD=VALUE, or there is no such field, or the value does not fit it.
    """
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set expects FIELD=VALUE such as training.epochs=3, got {setting!r}")
        recipe = with_setting(recipe, path, value)
    return recipe
