"""Frozen dataclasses as configuration: a component is its fields, and reads back from plain data.

``to_data`` turns a spec into dictionaries, lists, numbers and strings; ``from_data`` turns them back
into an equal object. Unknown keys and wrong types are errors that name the place and the nearest key.
"""

import dataclasses
import functools
import importlib
import os
import re
import sys
import types
import typing
from abc import ABC
from typing import Any, ClassVar, TypeVar

import yaml

from rsc_snn.errors import InputError, UnknownNameError

T = TypeVar("T")
KIND = "kind"
Data = Any  # dict, list, str, int, float, bool or None, nested


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spec(ABC):  # noqa: B024 - the kinds below it have the methods
    """Base of every component: immutable, keyword-only, compared and printed by its fields."""

    _kinds: ClassVar[dict[str, type["Spec"]]] = {}

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        Spec._kinds[kind_of(cls)] = cls


def kind_of(cls: type[Spec]) -> str:
    """Name under which a spec is written: the class name, with its module if it is not ours."""
    is_ours = cls.__module__.split(".")[0] == "rsc_snn"
    return cls.__name__ if is_ours else f"{cls.__module__}:{cls.__qualname__}"


def to_data(value: Any) -> Data:
    """Turn a spec (or a field of one) into plain data; a spec carries its kind."""
    if isinstance(value, Spec):
        fields = {f.name: to_data(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {KIND: kind_of(type(value)), **fields}
    if isinstance(value, tuple):
        return [to_data(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(
        f"a {type(value).__name__} cannot be written into a run.yaml; give a component instead, such as "
        "the path of a run folder for a teacher"
    )


def from_data(data: Data, expected: type[T], *, where: str = "spec") -> T:
    """Build the object of type ``expected`` that ``data`` describes.

    Raises:
        InputError: a key, kind or type does not fit; the message names ``where`` it stood.
    """
    return typing.cast(T, _convert(data, expected, where))


def with_setting(spec: T, path: str, text: str) -> T:
    """Return a copy of ``spec`` with the field at the dotted ``path`` set to the YAML ``text``.

    Example: ``with_setting(recipe, "neuron.decay", "0.9")``. A spec-valued field takes the name of a
    kind (``Rectangle``) or a YAML mapping with a ``kind``.
    """
    assert isinstance(spec, Spec)
    return typing.cast(T, _with_setting(spec, path, path, text))


def _with_setting(spec: Spec, path: str, whole: str, text: str) -> Spec:
    head, _, rest = path.partition(".")
    hints = _hints(type(spec))
    if head not in hints:
        raise UnknownNameError(f"field of {type(spec).__name__}", head, hints)
    current = getattr(spec, head)
    if rest:
        if not isinstance(current, Spec):
            raise InputError(f"{head} has no fields, so {whole!r} cannot be set; set {head!r} itself")
        value: Any = _with_setting(current, rest, whole, text)
    else:
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as err:
            raise InputError(f"{whole} expects a YAML value, got {text!r}") from err
        value = _convert(data, hints[head], whole)
    return dataclasses.replace(spec, **{head: value})


def _convert(data: Data, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(data, typing.get_args(hint), where)
    if origin is tuple:
        return _convert_tuple(data, typing.get_args(hint), where)
    if isinstance(hint, type) and issubclass(hint, Spec):
        return _convert_spec(data, hint, where)
    return _convert_scalar(data, hint, where)


def _convert_union(data: Data, options: tuple[Any, ...], where: str) -> Any:
    if data is None and type(None) in options:
        return None
    wanted = [option for option in options if option is not type(None)]
    for option in wanted[:-1]:
        try:
            return _convert(data, option, where)
        except InputError:
            if isinstance(data, dict):
                raise  # only a spec is written so, and its own error says what is wrong
    return _convert(data, wanted[-1], where)


def _convert_tuple(data: Data, item_hints: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise InputError(f"{where} expects a list, got {data!r}")
    if len(item_hints) == 2 and item_hints[1] is Ellipsis:
        item_hints = (item_hints[0],) * len(data)
    if len(data) != len(item_hints):
        raise InputError(f"{where} expects {len(item_hints)} values, got {len(data)}")
    pairs = enumerate(zip(data, item_hints, strict=True))
    return tuple(_convert(item, hint, f"{where}[{i}]") for i, (item, hint) in pairs)


def _convert_spec(data: Data, base: type[Spec], where: str) -> Spec:
    if isinstance(data, base):
        return data
    if isinstance(data, str):
        data = {KIND: data}
    if not isinstance(data, dict):
        raise InputError(f"{where} expects a {base.__name__}, got {data!r}")
    fields = dict(data)
    cls = _find_kind(fields.pop(KIND, base.__name__), base, where)
    hints = _hints(cls)
    for key in fields:
        if key not in hints:
            raise UnknownNameError(f"key in {where} ({cls.__name__})", str(key), hints)
    values = {key: _convert(value, hints[key], f"{where}.{key}") for key, value in fields.items()}
    if missing := sorted(set(required_fields(cls)) - values.keys()):
        raise InputError(f"{where} ({cls.__name__}) lacks {', '.join(missing)}")
    return cls(**values)


def _find_kind(kind: str, base: type[Spec], where: str) -> type[Spec]:
    if not isinstance(kind, str):
        raise InputError(f"{where} expects the name of a kind, got {kind!r}")
    if ":" in kind and kind not in Spec._kinds:
        import_object(kind)  # a component of the user's own module registers itself
    known = {
        name: cls
        for name, cls in Spec._kinds.items()
        if issubclass(cls, base) and not cls.__name__.startswith("Abstract")
    }
    if kind not in known:
        raise UnknownNameError(f"kind in {where}", str(kind), known)
    return known[kind]


def import_object(reference: str) -> Any:
    """Import ``module:name``.

    Raises:
        InputError: the module or the name does not exist.
    """
    module_name, _, name = reference.partition(":")
    if not re.fullmatch(r"[\w.]+", module_name) or not re.fullmatch(r"[\w.]+", name):
        raise InputError(f"expected module:name, got {reference!r}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as with python -m, modules of the current folder count
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module_name))
    except (ImportError, AttributeError) as err:
        raise InputError(f"cannot import {reference!r}: {err}") from err


def _convert_scalar(data: Data, hint: Any, where: str) -> Any:
    if hint is float:
        return parse_number(data, where=where)
    if hint is int and isinstance(data, int) and not isinstance(data, bool):
        return data
    if hint in (bool, str) and isinstance(data, hint):
        return data
    name = getattr(hint, "__name__", str(hint))
    raise InputError(f"{where} expects {name}, got {data!r}")


def parse_number(data: Data, *, where: str) -> float:
    """Read a number, a decimal such as ``1e-3`` or a fraction such as ``8/255``.

    Raises:
        InputError: it is none of these.
    """
    if isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if isinstance(data, str):
        numerator, slash, denominator = data.partition("/")
        try:
            return float(numerator) / float(denominator) if slash else float(numerator)
        except (ValueError, ZeroDivisionError):
            pass
    raise InputError(f"{where} expects a number such as 0.03 or 8/255, got {data!r}")


def required_fields(cls: type[Spec]) -> list[str]:
    """Return the names of the fields that have no default, in order."""
    missing = dataclasses.MISSING
    fields = dataclasses.fields(cls)
    return [f.name for f in fields if f.default is missing and f.default_factory is missing]


@functools.cache
def _hints(cls: type[Spec]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}
