"""A reproduction that takes seconds."""

from dataclasses import replace
from pathlib import Path

import torch

from rsc_snn.experiments.budget import SMOKE
from rsc_snn.experiments.cells import Place
from rsc_snn.experiments.grid.base import AbstractGrid
from rsc_snn.experiments.grid.serial import SerialGrid
from rsc_snn.experiments.plan import Filter
from rsc_snn.experiments.reproduce import Job, reproduce
from rsc_snn.experiments.tables.context import Context
from rsc_snn.runs.files import Row, read_rows

BUDGET = replace(
    SMOKE,
    settings=("training.epochs=1", "training.num_images=256", "training.num_validation=64"),
    num_images=12,
    num_draws=2,
    batch_size=4,
    rows_per_pass=16,
)
# One network with another seed as the source of its black box, and its certificates.
PLACES = ("table4", "certified")
METHODS = ("RSC-0.1",)


def small_job(folder: Path, grid: AbstractGrid | None = None, **options: object) -> Job:
    """Table 4, data set CIFAR-10, and the certificates of RSC-0.1, each in small."""
    wanted = Filter(dataset=None, methods=METHODS)
    context = Context(replace(BUDGET, num_certified=4, num_samples=50, **options))  # type: ignore[arg-type]
    place = Place(folder=folder, compiled="off")
    return Job(PLACES, context, wanted, place, grid or SerialGrid())


def rows_of(folder: Path) -> dict[str, list[Row]]:
    """The rows of every run, without what they were made with and how long it took."""
    names = ("attacks.jsonl", "certificates.jsonl")
    return {
        f"{run.name}/{name}": read_rows(run / name)
        for run in sorted((folder / "runs").iterdir())
        for name in names
        if (run / name).is_file()
    }


def work(folder: Path) -> None:
    """In a process that can be killed."""
    torch.set_num_threads(1)
    reproduce(small_job(folder))
