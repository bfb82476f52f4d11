"""From the words of a command line to attacks."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from rsc_snn import attacks, gradients
from rsc_snn.attacks import AbstractAttack, AbstractNorm, Suite, norms, suites
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.gradients import AbstractGradient
from rsc_snn.registry import discover
from rsc_snn.spec import Spec, from_data, kind_of, parse_number

T = TypeVar("T", bound=Spec)
_LATER_SUITES = ("reliable",)


def read_list(
    names: Sequence[str],
    suite: str | None,
    eps: str,
    *,
    gradient: str,
    norm: str,
    steps: int | None,
) -> list[Suite] | list[tuple[AbstractAttack, AbstractGradient]]:
    """Return the named attacks at each strength, or a suite at each strength if none is named."""
    strengths = read_strengths(eps)
    if names:
        return read_attacks(names, strengths, suite=suite, gradient=gradient, norm=norm, steps=steps)
    return read_suites(suite or "paper", strengths, gradient=gradient, norm=norm, steps=steps)


def read_strengths(text: str) -> list[float]:
    """Read ``2/255,8/255``: at least one, all different, all of them numbers."""
    values = [parse_number(part.strip(), where="--eps") for part in text.split(",") if part.strip()]
    if not values or len(set(values)) != len(values):
        raise InputError(f"--eps expects different numbers with commas, such as 2/255,8/255, got {text!r}")
    return values


def read_suites(
    name: str, strengths: Sequence[float], *, gradient: str, norm: str, steps: int | None
) -> list[Suite]:
    """Return the suite called ``name`` at each strength."""
    if steps is not None or gradient.lower() != "bptt" or read_norm(norm) != norms.Linf():
        raise InputError(
            "--steps, --gradient and --norm do not apply to a suite, which is a fixed list; use --attack NAME"
        )
    known = {"paper": suites.paper}
    if name in _LATER_SUITES:
        raise InputError(f"suite {name!r} is not in this version; available: {', '.join(known)}")
    if name not in known:
        raise UnknownNameError("suite", name, known)
    return [known[name](eps) for eps in strengths]


def read_attacks(
    names: Sequence[str],
    strengths: Sequence[float],
    *,
    suite: str | None,
    gradient: str,
    norm: str,
    steps: int | None,
) -> list[tuple[AbstractAttack, AbstractGradient]]:
    """Return each named attack at each strength with one gradient path."""
    if suite is not None:
        raise InputError("--attack and --suite exclude each other; leave one of them away")
    kind = _named(gradients.__name__, gradients.__path__, AbstractGradient, gradient, "gradient path")
    path = from_data(kind_of(kind), kind, where="--gradient")
    classes = [_named(attacks.__name__, attacks.__path__, AbstractAttack, name, "attack") for name in names]
    found: list[tuple[AbstractAttack, AbstractGradient]] = []
    for eps in strengths:
        for cls in classes:
            values: dict[str, object] = {"eps": eps, "norm": read_norm(norm)}
            if steps is not None:
                _require_steps(cls)
                values["num_steps"] = steps
            found.append((cls(**values), path))  # type: ignore[arg-type]
    return found


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
