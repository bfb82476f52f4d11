"""From the name of a recipe, a function or a file to the recipe."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.experiments import methods, recipes
from rsc_snn.runs.folder import RunFolder
from rsc_snn.spec import import_object
from rsc_snn.training import Recipe, read_recipe

DEFAULT_VARIANCE = 0.1
_LISTED_METHODS = (
    "ann",
    "direct",
    "poisson",
    "rsc0.0001",
    "rsc0.01",
    "rsc0.1",
    "rsc0.25",
    "rsc0.5",
    "rsc2-0.01",
    "rsc2-0.1",
    "ersct",
    "ersct0.01",
    "rat",
)
_LISTED_FOR_CERTIFICATES = ("rsc0.1-cons", "rsc0.1-smoothadv", "ersct-cons", "ersct-smoothadv")
_NOT_ADVERSARIAL = ("rat",)  # its objective is adversarial already
_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_SUFFIXES = methods.REGULARISERS | methods.ADVERSARIES
_METHOD = (
    rf"(?P<method>.*?)(?P<regulariser>{'|'.join(methods.REGULARISERS)})?"
    rf"(?P<adversary>{'|'.join(methods.ADVERSARIES)})?"
)


def names() -> list[str]:
    """Return the names of the recipes that are listed; other variances (rsc0.3) and suffixes work too."""
    adversarial = [f"{method}-adv" for method in _LISTED_METHODS if method not in _NOT_ADVERSARIAL]
    groups = (_LISTED_METHODS, adversarial, _LISTED_FOR_CERTIFICATES)
    return [f"{base}-{method}" for group in groups for base in sorted(_bases()) for method in group]


def resolve(reference: str) -> tuple[Recipe, int | None]:
    """Find a recipe, and the seed if it comes from an earlier run.

    Args:
        reference: A name from ``names``, ``module:function``, or the path of a run.yaml.

    Raises:
        InputError: there is no such recipe, function or file, or it holds something else.
    """
    if reference.endswith((".yaml", ".yml")):
        return _from_file(Path(reference))
    if ":" in reference:
        return _from_function(reference), None
    return by_name(reference), None


def by_name(name: str) -> Recipe:
    """Return the recipe DATASET-NETWORK-METHOD.

    Raises:
        UnknownNameError: no recipe is called so.
        InputError: a suffix needs noise, and the method has none.
    """
    bases = _bases()
    fitting = [base for base in bases if name.startswith(f"{base}-")]
    if not fitting:
        raise UnknownNameError("recipe", name, names())
    base = max(fitting, key=len)
    match = re.fullmatch(_METHOD, name.removeprefix(f"{base}-"))
    variant = _method(match["method"]) if match else None
    if match is None or variant is None or (match["adversary"] and match["method"] in _NOT_ADVERSARIAL):
        raise UnknownNameError("recipe", name, names())
    recipe = variant(bases[base]())
    for suffix in filter(None, (match["regulariser"], match["adversary"])):
        if suffix in methods.NEED_NOISE and not recipe.coding.is_random:
            raise InputError(f"{name}: {suffix} needs a coding with noise; use poisson, rsc, rsc2 or ersct")
        recipe = _SUFFIXES[suffix](recipe)
    return replace(recipe, name=name)


def _from_file(path: Path) -> tuple[Recipe, int]:
    if not path.is_file():
        raise InputError(f"no file {str(path)!r}; expected the run.yaml of an earlier run")
    if path.name != "run.yaml":
        raise InputError(f"expected a file called run.yaml in its run folder, got {str(path)!r}")
    return read_recipe(RunFolder(path.parent))


def _from_function(reference: str) -> Recipe:
    function = import_object(reference)
    try:
        recipe = function() if callable(function) else function
    except InputError:
        raise
    except Exception as err:  # whatever a user's function raises is told in one line
        raise InputError(f"{reference!r} failed: {type(err).__name__}: {err}; call it in Python") from err
    if not isinstance(recipe, Recipe):
        raise InputError(f"{reference!r} must return a Recipe, got {type(recipe).__name__}")
    return recipe


def _bases() -> dict[str, Callable[[], Recipe]]:
    modules = [info.name for info in pkgutil.iter_modules(recipes.__path__)]
    found = {name: importlib.import_module(f"{recipes.__name__}.{name}") for name in modules}
    return {name.replace("_", "-"): module.base for name, module in found.items()}


def _method(text: str) -> Callable[[Recipe], Recipe] | None:
    """Read ``rsc0.1``, ``rsc2-0.1``, ``ersct``, ``direct``; None if it is no method."""
    available = {
        name: function
        for name, function in vars(methods).items()
        if inspect.isfunction(function) and function.__module__ == methods.__name__
        if function not in _SUFFIXES.values()
    }
    if text in available and len(inspect.signature(available[text]).parameters) == 1:
        plain: Callable[[Recipe], Recipe] = available[text]
        return plain
    if match := re.fullmatch(rf"(rsc2)(?:-({_NUMBER}))?|(rsc|ersct)({_NUMBER})?", text):
        number = match[2] or match[4]
        variance = float(number) if number else DEFAULT_VARIANCE
        with_variance = available[match[1] or match[3]]
        return lambda base: with_variance(base, variance)
    return None
