"""What ``rsc-snn list`` shows: found in the packages, not written down."""

from collections.abc import Callable

from rsc_snn import attacks, codings, data, gradients, networks, neurons
from rsc_snn.attacks import AbstractAttack
from rsc_snn.codings import AbstractCoding
from rsc_snn.data import AbstractDataset
from rsc_snn.experiments import catalogue
from rsc_snn.gradients import AbstractGradient
from rsc_snn.networks import AbstractNetwork
from rsc_snn.neurons import AbstractNeuron
from rsc_snn.registry import discover, summary_line
from rsc_snn.spec import Spec

Lines = list[tuple[str, str]]


def inventory(kind: str) -> Lines:
    """Return (name, what it is) of everything of a kind."""
    return _SOURCES[kind]()


def _components(classes: dict[str, type[Spec]]) -> Lines:
    return [(name, summary_line(cls)) for name, cls in sorted(classes.items())]


def _datasets() -> Lines:
    classes = discover(data.__name__, data.__path__, AbstractDataset)
    return sorted((cls.name, summary_line(cls)) for cls in classes.values())


def _recipes() -> Lines:
    return [(name, "") for name in catalogue.names()]


_SOURCES: dict[str, Callable[[], Lines]] = {
    "codings": lambda: _components({**discover(codings.__name__, codings.__path__, AbstractCoding)}),
    "neurons": lambda: _components({**discover(neurons.__name__, neurons.__path__, AbstractNeuron)}),
    "networks": lambda: _components({**discover(networks.__name__, networks.__path__, AbstractNetwork)}),
    "attacks": lambda: _components({**discover(attacks.__name__, attacks.__path__, AbstractAttack)}),
    "gradients": lambda: _components({**discover(gradients.__name__, gradients.__path__, AbstractGradient)}),
    "datasets": _datasets,
    "recipes": _recipes,
}
