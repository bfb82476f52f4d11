"""Strips of example images: clean, coded, perturbation and attacked, with what the network answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsc_snn.report.png import as_png
from rsc_snn.report.sections import Picture, Section
from rsc_snn.report.tables import Table, strength
from rsc_snn.runs.examples import Array, ExampleFacts, Examples

GAIN = 10  # times the perturbation is enlarged
RIGHT, WRONG = "\u2713", "\u2717"
_COLUMNS = ("clean", "coded, one step", "coded, mean", f"perturbation x{GAIN}", "attacked")
_TILE, _GAP, _LINE, _HEAD = 128, 16, 18, 26  # pixels
_DPI = 100
_FONT = 9.5
_WRONG_COLOUR, _TEXT_COLOUR = "#b34700", "#1a1a1a"
_LONGEST_NAME = 13


@dataclass(frozen=True)
class Answer:
    """What a network said of an image.

    Attributes:
        label: Name of the class that most draws chose; None where several are equal.
        votes: Draws that chose it.
        num_draws: All draws.
        is_right: Whether it is the true class; a tie is not.
    """

    label: str | None
    votes: int
    num_draws: int
    is_right: bool

    @property
    def text(self) -> str:
        """The answer with a sign, such as "\u2717 dog (14/20)"; a single draw needs no count."""
        count = f" ({self.votes}/{self.num_draws})" if self.num_draws > 1 else ""
        return f"{RIGHT if self.is_right else WRONG} {self.label or 'tie'}{count}"


def answer(counts: Sequence[int], label: int, classes: Sequence[str]) -> Answer:
    """Return the majority's answer.

    Args:
        counts: Votes for each class, [K].
        label: The true class.
        classes: Names of the classes.
    """
    most = max(counts)
    winners = [number for number, count in enumerate(counts) if count == most]
    name = class_name(classes, winners[0]) if len(winners) == 1 else None
    return Answer(name, most, sum(counts), winners == [label])


def class_name(classes: Sequence[str], number: int) -> str:
    """A class as a few letters; its number where there is no name."""
    name = classes[number] if number < len(classes) else str(number)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "\u2026"


def strip_section(name: str, examples: Examples) -> Section:
    """Return the strip of a run with its table of answers.

    Args:
        name: Name of the run.
        examples: What examples.safetensors holds.
    """
    facts = examples.facts
    answers = _answers(facts)
    return Section(
        f"Example images: {name}",
        words=(_words(facts),),
        tables=(_table(facts, answers),),
        pictures=(
            Picture(
                draw_strip(examples, answers), _alt(facts, answers), _caption(examples), width=_figure_width()
            ),
        ),
    )


def draw_strip(examples: Examples, answers: Sequence[tuple[Answer, Answer]]) -> bytes:
    """Return a PNG with a row per image; answers are for the clean and the attacked image."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    facts = examples.facts
    tiles = _tiles(examples)
    height, width = _tile_size(tiles[0][0])
    row = height + 2 * _LINE + _GAP
    page_width, page_height = _figure_width(), _HEAD + row * len(tiles)
    figure = Figure(figsize=(page_width / _DPI, page_height / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    cell = page_width / len(_COLUMNS)
    for column, title in enumerate(_COLUMNS):
        _text(figure, title, (column + 0.5) * cell, _HEAD / 2, weight="bold")
    for number, (images, (before, after)) in enumerate(zip(tiles, answers, strict=True)):
        top = _HEAD + number * row
        for column, image in enumerate(images):
            left = (column + 0.5) * cell - width / 2
            box = (round(left) / page_width, 1 - (top + height) / page_height)
            panel = figure.add_axes((*box, width / page_width, height / page_height))
            panel.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
            panel.set_axis_off()
        below = top + height + _LINE / 2
        truth = f"true: {class_name(facts.classes, facts.labels[number])}"
        _text(figure, truth, cell / 2, below)
        for column, said in ((0, before), (len(_COLUMNS) - 1, after)):
            colour = _TEXT_COLOUR if said.is_right else _WRONG_COLOUR
            _text(figure, said.text, (column + 0.5) * cell, below + _LINE, color=colour)
    return as_png(figure, dpi=_DPI, is_drawing=False)


def _text(figure: Any, text: str, x: float, y: float, **style: Any) -> None:
    """Text centred at pixels from the upper left corner."""
    width, height = figure.get_size_inches() * _DPI
    figure.text(x / width, 1 - y / height, text, ha="center", va="center", fontsize=_FONT, **style)


def _tiles(examples: Examples) -> list[list[Array]]:
    """The five images of each row: [H, W] where they are grey, [H, W, 3] in colour."""
    pictures = examples.pictures
    enlarged = 0.5 + GAIN * (pictures["attacked"] - pictures["clean"])
    columns = (pictures["clean"], pictures["coded"], pictures["coded_mean"], enlarged, pictures["attacked"])
    return [[_tile(column[number]) for column in columns] for number in range(len(examples.facts.labels))]


def _tile(image_CHW: Array) -> Array:
    pixels = np.clip(image_CHW, 0, 1)
    return pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)


def _tile_size(tile: Array) -> tuple[int, int]:
    """Height and width on the page: whole pixels of the page for each pixel of the image."""
    height, width = tile.shape[:2]
    scale = max(1, _TILE // max(height, width))
    return scale * height, scale * width


def _figure_width() -> int:
    return len(_COLUMNS) * (_TILE + 2 * _GAP)


def _answers(facts: ExampleFacts) -> list[tuple[Answer, Answer]]:
    both = zip(facts.clean_counts, facts.attacked_counts, facts.labels, strict=True)
    return [
        (answer(clean, label, facts.classes), answer(attacked, label, facts.classes))
        for clean, attacked, label in both
    ]


def _table(facts: ExampleFacts, answers: Sequence[tuple[Answer, Answer]]) -> Table:
    rows = [
        [str(index), class_name(facts.classes, label), before.text, after.text]
        for index, label, (before, after) in zip(facts.indices, facts.labels, answers, strict=True)
    ]
    draws = (
        f"Votes of {facts.num_draws} noise draws each, which the attack has not seen; a tie counts as wrong."
        if facts.num_draws > 1
        else "Nothing varies between two calls of this network: one answer each."
    )
    columns = ("test image", "true class", "clean image", "attacked image")
    return Table("Answers", columns, rows, [f"{RIGHT} right, {WRONG} wrong. {draws}"])


def _words(facts: ExampleFacts) -> str:
    num_classes = len(set(facts.labels))
    which = f" of {num_classes} classes" if num_classes == len(facts.labels) else ""
    return (
        f"The first test images{which}, not chosen by the outcome. Coding: {facts.coding}, "
        f"T={facts.num_steps}. Attack: the paper's PGD, l_inf, eps {strength(facts.eps, 'linf')}, "
        f"seed {facts.seed}."
    )


def _alt(facts: ExampleFacts, answers: Sequence[tuple[Answer, Answer]]) -> str:
    before = sum(clean.is_right for clean, _ in answers)
    after = sum(attacked.is_right for _, attacked in answers)
    return (
        f"{len(answers)} rows of images: clean, coded, perturbation and attacked. The network names "
        f"{before} of {len(answers)} clean images and {after} of {len(answers)} attacked images correctly."
    )


def _caption(examples: Examples) -> str:
    every = examples.facts.every_pixel
    kept = f" Of these large images one pixel in {every} is shown, along and across." if every > 1 else ""
    pictures = examples.pictures
    is_static = np.array_equal(pictures["coded"], pictures["coded_mean"])
    same = ": the same, since every step sees the same image" if is_static else ""
    return (
        "Below the images, the answer to the clean and to the attacked one. Coded: what the coding made of "
        f"the clean image, once, at the first step and on average over all T steps{same}. The perturbation "
        f"is multiplied by {GAIN} around grey, so that grey is no change. A few images show what the attack "
        f"does, not how often it succeeds: accuracies stand in the tables.{kept}"
    )
