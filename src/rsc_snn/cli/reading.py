"""From the words of a command line to attacks."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rsc_snn import attacks, gradients
from rsc_snn.attacks import AbstractAttack, AbstractNorm, Suite, Transfer, norms, suites
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.gradients import AbstractGradient
from rsc_snn.registry import discover
from rsc_snn.spec import Spec, parse_number, required_fields

T = TypeVar("T", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class Request:
    """The words of an attack's command line; None where an option was not given."""

    names: tuple[str, ...]
    suite: str | None
    budget: str | None
    eps: str
    gradient: str
    gradient_draws: int | None
    norm: str
    steps: int | None
    sources: tuple[Path, ...]


def read_list(request: Request) -> list[Suite] | list[tuple[AbstractAttack, AbstractGradient]]:
    """Return the named attacks at each strength, or a suite at each strength if none is named."""
    strengths = read_strengths(request.eps)
    return read_attacks(request, strengths) if request.names else read_suites(request, strengths)


def read_strengths(text: str) -> list[float]:
    """Read ``2/255,8/255``: at least one, all different, all of them numbers."""
    values = [parse_number(part.strip(), where="--eps") for part in text.split(",") if part.strip()]
    if not values or len(set(values)) != len(values):
        raise InputError(f"--eps expects different numbers with commas, such as 2/255,8/255, got {text!r}")
    return values


def read_suites(request: Request, strengths: Sequence[float]) -> list[Suite]:
    """Return the suite that was asked for at each strength."""
    is_changed = request.steps is not None or request.gradient_draws is not None
    if is_changed or request.gradient.lower() != "bptt":
        raise InputError(
            "--steps, --gradient and --gradient-draws do not apply to a suite, which is a fixed list; use "
            "--attack NAME"
        )
    name = request.suite or suites.PAPER
    if name not in _SUITES:
        raise UnknownNameError("suite", name, _SUITES)
    return [_SUITES[name](request, eps) for eps in strengths]


def _paper(request: Request, eps: float) -> Suite:
    if request.budget is not None or request.sources or read_norm(request.norm) != norms.Linf():
        raise InputError(
            "--budget, --source and --norm do not apply to suite paper, which is l_inf and has no transfer; "
            "use --suite reliable or --attack NAME"
        )
    return suites.paper(eps)


def _reliable(request: Request, eps: float) -> Suite:
    budget = request.budget or suites.FULL
    return suites.reliable(eps, request.sources, budget, norm=read_norm(request.norm))


_SUITES: dict[str, Callable[[Request, float], Suite]] = {
    suites.PAPER: _paper,
    suites.RELIABLE: _reliable,
}


def read_attacks(
    request: Request, strengths: Sequence[float]
) -> list[tuple[AbstractAttack, AbstractGradient]]:
    """Return each named attack at each strength with one gradient path."""
    if request.suite is not None or request.budget is not None:
        raise InputError("--attack excludes --suite, and --budget is for a suite; leave one of them away")
    names = request.names
    classes = [_named(attacks.__name__, attacks.__path__, AbstractAttack, name, "attack") for name in names]
    if request.sources and Transfer not in classes:
        raise InputError("--source applies to --attack transfer and to --suite reliable")
    path = _read_path(request)
    return [(_made(cls, request, eps), path) for eps in strengths for cls in classes]


def _read_path(request: Request) -> AbstractGradient:
    package = gradients.__name__, gradients.__path__
    cls = _named(*package, AbstractGradient, request.gradient, "gradient path")
    if missing := required_fields(cls):
        raise InputError(
            f"gradient path {cls.__name__} needs {', '.join(missing)}, which the command line cannot give; "
            "use the library"
        )
    path = cls()
    if request.gradient_draws is None:
        return path
    if isinstance(path, gradients.Expectation):
        return dataclasses.replace(path, num_draws=request.gradient_draws)
    return gradients.Expectation(of=path, num_draws=request.gradient_draws)


def _made(cls: type[AbstractAttack], request: Request, eps: float) -> AbstractAttack:
    values: dict[str, object] = {"eps": eps, "norm": read_norm(request.norm)}
    if request.steps is not None:
        _require_steps(cls)
        values["num_steps"] = request.steps
    if cls is Transfer:
        if not request.sources:
            raise InputError("--attack transfer needs at least one --source RUN")
        values["sources"] = request.sources
    return cls(**values)  # type: ignore[arg-type]


def read_norm(name: str) -> AbstractNorm:
    """Return the norm called ``linf`` or ``l2``."""
    known = {norm.name: norm for norm in norms.EXAMPLES}
    if name not in known:
        raise UnknownNameError("norm", name, known)
    return known[name]


def _named(package: str, path: Sequence[str], base: type[T], name: str, kind: str) -> type[T]:
    known = {cls.lower(): value for cls, value in discover(package, path, base).items()}
    if name.lower() not in known:
        raise UnknownNameError(kind, name.lower(), known)
    return known[name.lower()]


def _require_steps(cls: type[AbstractAttack]) -> None:
    if "num_steps" not in {field.name for field in dataclasses.fields(cls)}:
        raise InputError(f"--steps does not apply to {cls.__name__}, which takes a single step")
