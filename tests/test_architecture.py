"""The house rules as tests: small rooms, imports one way, no choice by string."""

import ast
import re
from pathlib import Path

import pytest

import rsc_snn

SRC = Path(rsc_snn.__file__).parent
MODULES = sorted(SRC.rglob("*.py"))

# Each room may import those above it. Rooms on one line stand beside each other.
FLOORS = [
    {"errors", "interruption"},
    {"spec", "guarantees"},
    {"registry", "rng", "checks", "processes", "outofmemory", "passes", "memory"},
    {"codings", "neurons"},
    {"networks"},
    {"classifier"},
    {"runs"},
    {"data", "gradients"},
    {"attacks"},
    {"evaluation", "interop"},
    {"auditing", "certification", "paper", "theory", "observing"},
    {"objectives"},
    {"training"},
    {"experiments", "report", "benchmarks"},
    {"cli", "zoo"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def name_of(path: Path) -> str:
    return str(path.relative_to(SRC))


def room_of(path: Path) -> str:
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "rsc_snn":
                found |= {alias.name for alias in node.names if alias.name in FLOOR}
            elif node.module.startswith("rsc_snn."):
                found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    for other in imported_rooms(ast.parse(path.read_text())) - {room}:
        assert FLOOR[other] < FLOOR[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_small(path: Path) -> None:
    source = path.read_text()
    assert path.stem not in {"utils", "helpers", "common", "misc"}, "name the concept"
    assert len(source.splitlines()) <= 300
    assert source.isascii()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name} does not fit a screen"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_choice_by_string(path: Path) -> None:
    worst = max((string_branches(node) for node in ast.walk(ast.parse(path.read_text()))), default=0)
    assert worst < 2, "pass an object instead of comparing strings"


def string_branches(node: ast.AST | None) -> int:
    """Length of the if/elif chain at ``node`` whose conditions compare with a string literal."""
    length = 0
    while isinstance(node, ast.If) and any(
        isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
        for test in ast.walk(node.test)
        if isinstance(test, ast.Compare)
        for leaf in (test.left, *test.comparators)
    ):
        length += 1
        node = node.orelse[0] if len(node.orelse) == 1 else None
    return length


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_definitions_are_described_and_typed(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what it holds"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name


def test_nothing_reseeds_the_global_generator() -> None:
    """manual_seed is called on generators of our own, and inside the fork for foreign modules."""
    uses = {
        name_of(p): len(
            re.findall(
                r"torch\.manual_seed|cuda\.manual_seed|default_generator|np\.random\.seed", p.read_text()
            )
        )
        for p in MODULES
    }
    assert {name: n for name, n in uses.items() if n} == {"rng.py": 2}


def test_the_public_names_are_there() -> None:
    for name in rsc_snn.__all__:
        assert getattr(rsc_snn, name) is not None
    assert set(rsc_snn.__all__) <= set(dir(rsc_snn))
    with pytest.raises(AttributeError, match="no attribute 'atacks'"):
        rsc_snn.atacks  # noqa: B018
