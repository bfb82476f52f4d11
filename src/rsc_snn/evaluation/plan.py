"""What an evaluation will do: its entries by name, its draws and its batches."""

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from rsc_snn.attacks import FULL, AbstractAttack, Entry, Suite, Transfer, require_honest_name
from rsc_snn.checks import require_counts
from rsc_snn.classifier import AbstractClassifier
from rsc_snn.errors import InputError
from rsc_snn.gradients import BPTT, AbstractGradient, Expectation
from rsc_snn.gradients.parts import PER_GRADIENT, ROWS_BY_HAND

BATCH_SIZE = 64

Attacks = Suite | Sequence[AbstractAttack | tuple[AbstractAttack, AbstractGradient]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A fixed list of entries and how they are scored.

    Attributes:
        suite: Name of the suite; None for a plain list, whose parts are named by their content.
        budget: "full", or "quick" for a suite that was shortened.
        entries: (name, entry) in order; names do not contain eps or norm.
        num_draws: Scoring draws, and held-out draws, per image and candidate.
        is_random: Whether the classifier's answers vary.
        scores_winner_only: Whether entries are only ranked on held-out draws, and the winner alone is
            scored; images that are lost are then not attacked again.
        seed: Of every stream.
        batch_size: Images of a unit of work.
        draw_chunk: Draws that share a forward pass.
        rows_per_pass: (image, draw) pairs of a gradient's pass, at most; of a forward pass, twice as many.
        is_compiled: Whether neurons are computed by compiled kernels; None while that is open.
    """

    suite: str | None
    budget: str
    entries: tuple[tuple[str, Entry], ...]
    num_draws: int
    seed: int
    batch_size: int
    draw_chunk: int
    rows_per_pass: int
    is_compiled: bool | None = None
    is_random: bool
    scores_winner_only: bool

    def lists(self) -> list[tuple[str, list[tuple[str, Entry]]]]:
        """Return (name, entries) for each norm and eps, in order; each list has its own worst case."""
        groups: dict[tuple[str, float], list[tuple[str, Entry]]] = {}
        for name, entry in self.entries:
            key = (entry.attack.norm.name, entry.attack.eps)
            groups.setdefault(key, []).append((name, entry))
        return [(self.suite or _name_of_list(entries), entries) for entries in groups.values()]

    def sized(self, rows_per_pass: int, *, draw_chunk: int | None = None) -> "Plan":
        """Return the same plan in passes of another size; None lets as many draws share a pass as fit."""
        chunk = draw_chunk or max(1, PER_GRADIENT * rows_per_pass // self.batch_size)
        return dataclasses.replace(self, rows_per_pass=rows_per_pass, draw_chunk=min(chunk, self.num_draws))


def make_plan(
    attacks: Attacks | Sequence[Suite],
    *,
    num_draws: int,
    seed: int,
    is_random: bool,
    num_pixels: int,
    batch_size: int = BATCH_SIZE,
) -> Plan:
    """Settle every choice before the first image but the size of passes, which ``Plan.sized`` changes.

    Args:
        attacks: Attacks, pairs of attack and gradient path, a suite, or one suite at several eps.
        num_draws: Draws for a random classifier; a deterministic one gets 1.
        seed: Of every stream.
        is_random: Whether the classifier's answers vary.
        num_pixels: Numbers in an image, which bound eps.
        batch_size: Images of a unit of work.

    Raises:
        InputError, RangeError: no attack, or fewer than one draw or image per batch.
    """
    require_counts(num_draws=num_draws, batch_size=batch_size)
    named_suite, entries = _flatten(attacks)
    if named_suite and not is_random:
        entries = [_of_one_draw(entry) for entry in entries]
    if not entries:
        raise InputError("expected at least one attack, got none; try rs.attacks.paper()")
    for entry in entries:
        entry.attack.norm.require_eps(entry.attack.eps, num_pixels=num_pixels)
    plan = Plan(
        suite=named_suite.name if named_suite else None,
        budget=named_suite.budget if named_suite else FULL,
        entries=_named(entries),
        num_draws=num_draws if is_random else 1,
        seed=seed,
        batch_size=batch_size,
        draw_chunk=1,
        rows_per_pass=ROWS_BY_HAND,
        is_random=is_random,
        scores_winner_only=named_suite is not None and named_suite.scores_winner_only,
    )
    return plan.sized(ROWS_BY_HAND)


def require_sources(plan: Plan, classifier: AbstractClassifier, images: Tensor) -> None:
    """Raise InputError unless the sources of a transfer fit the victim and its images."""
    for _, entry in plan.entries:
        if isinstance(entry.attack, Transfer):
            entry.attack.require_sources(classifier, images)


def entry_name(entry: Entry) -> str:
    """Return the entry's own name, or the attack with its non-default fields and the path unless BPTT."""
    if entry.name is not None:
        return entry.name
    default_fields = {
        field.name: field.default if field.default is not dataclasses.MISSING else _made(field)
        for field in dataclasses.fields(entry.attack)
    }
    changed = [
        f"{name}={getattr(entry.attack, name)!r}"
        for name, default in default_fields.items()
        if name not in ("eps", "norm") and getattr(entry.attack, name) != default
    ]
    attack = type(entry.attack).__name__ + (f"({', '.join(changed)})" if changed else "")
    return attack if entry.gradient == BPTT() else f"{attack} by {entry.gradient!r}"


def _made(field: "dataclasses.Field[object]") -> object:
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()


def _of_one_draw(entry: Entry) -> Entry:
    """A network that does not vary needs no expectation; a transfer's path is for its sources."""
    if isinstance(entry.gradient, Expectation) and not isinstance(entry.attack, Transfer):
        return dataclasses.replace(entry, gradient=entry.gradient.of)
    return entry


def _flatten(attacks: Attacks | Sequence[Suite]) -> tuple[Suite | None, list[Entry]]:
    if isinstance(attacks, Suite):
        return _flatten([attacks])
    if isinstance(attacks, AbstractAttack):
        raise InputError(f"attacks must be a list or a suite, got a single attack; write [{attacks!r}]")
    suites = [item for item in attacks if isinstance(item, Suite)]
    if suites:
        names = {(suite.name, suite.budget) for suite in suites}
        if len(suites) != len(attacks) or len(names) != 1:
            raise InputError("a list of suites may only hold one suite at several eps")
        for suite in suites:
            require_honest_name(suite)
        return suites[0], [entry for suite in suites for entry in suite.entries]
    return None, [_as_entry(item) for item in attacks]


def _as_entry(item: object) -> Entry:
    if isinstance(item, AbstractAttack):
        return Entry(attack=item, gradient=BPTT())
    if isinstance(item, tuple) and len(item) == 2:
        attack, gradient = item
        if isinstance(attack, AbstractAttack) and isinstance(gradient, AbstractGradient):
            return Entry(attack=attack, gradient=gradient)
    raise InputError(f"expected an attack or a pair (attack, gradient path), got {item!r}")


def _named(entries: list[Entry]) -> tuple[tuple[str, Entry], ...]:
    seen: Counter[tuple[str, str, float]] = Counter()
    named: list[tuple[str, Entry]] = []
    for entry in entries:
        name = entry_name(entry)
        key = (name, entry.attack.norm.name, entry.attack.eps)
        seen[key] += 1
        named.append((name if seen[key] == 1 else f"{name} #{seen[key]}", entry))
    return tuple(named)


def _name_of_list(entries: list[tuple[str, Entry]]) -> str:
    names = sorted(name for name, _ in entries)
    return "list-" + hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
