"""Whether a run computes its neurons by compiled kernels: settled at its start, kept when it goes on.

Both ways give the same spikes but for rounding, so that a run keeps to one of them to end with the same bits.
"""

import torch
from torch import nn

from rsc_snn.data import AbstractDataset
from rsc_snn.errors import RunFolderError
from rsc_snn.networks.backends import set_backend
from rsc_snn.networks.compiling import can_compile, choice_of, compile_kernels, is_worth_compiling
from rsc_snn.objectives.teachers import GivenTeacher, teachers_of
from rsc_snn.outofmemory import is_lack_of_memory
from rsc_snn.runs.environment import amend_environment
from rsc_snn.runs.files import read_environments
from rsc_snn.runs.folder import RunFolder
from rsc_snn.training.estimate import Estimate, estimate
from rsc_snn.training.step import Stepper

_KEY = "compiled"


def recorded_choice(folder: RunFolder) -> bool | None:
    """Return whether the run has computed with compiled kernels so far; None before its first step.

    Runs of versions that had no such kernels say nothing.
    """
    entries = read_environments(folder.environment)
    began = next((bool(entry[_KEY]) for entry in entries if _KEY in entry), None)
    return False if began is None and folder.checkpoint.exists() else began


def require_choice(folder: RunFolder, asked: bool | None, device: torch.device) -> None:
    """Raise RunFolderError unless the run can go on as it began, and that is what is asked for."""
    earlier = recorded_choice(folder) if folder.exists() else None
    if earlier is None:
        return
    begun = f"{str(folder.path)!r} was begun with --compile {choice_of(earlier)}"
    if asked not in (None, earlier):
        raise RunFolderError(
            f"{begun}, got {choice_of(not earlier)}; leave the option out, or choose another --out"
        )
    if earlier and not can_compile(device):
        raise RunFolderError(
            f"{begun}, and {device} has no compiler here (g++, or Triton for a GPU); install one to resume it"
        )


def settle(
    stepper: Stepper, dataset: AbstractDataset, folder: RunFolder, asked: bool | None, *, num_steps: int
) -> Estimate | None:
    """Decide, compile if that is worth it, and record it; all processes do what the first decides.

    Args:
        stepper: Of the run, before its first step.
        dataset: Whose images are taken.
        folder: Of the run, whose earlier choice is kept.
        asked: Whether to compile; None leaves it to the time that the run takes without.
        num_steps: Updates that are left.

    Returns:
        What the run will take, if that is known now.
    """
    group, found = stepper.group, list[Estimate]()
    earlier = group.led(lambda: recorded_choice(folder))
    chosen = asked if earlier is None else earlier
    is_asked = chosen is True
    if chosen is None:
        chosen = group.led(lambda: _is_worth_it(stepper, dataset, num_steps, found))
    if chosen:
        compiled = list[Estimate]()  # the probe of an estimate has the backend of the classifier
        chosen = compile_kernels(
            stepper.classifier,
            lambda: compiled.append(estimate(stepper, dataset, num_steps=num_steps)),
            is_asked=is_asked,
        )
        found = compiled if chosen else found
    for module in _others(stepper) if chosen else ():
        set_backend(module, "compiled")
    if earlier is None:
        fact = {_KEY: chosen}
        group.led(lambda: amend_environment(folder.environment, fact))
    return found[0] if found else None


def _is_worth_it(stepper: Stepper, dataset: AbstractDataset, num_steps: int, found: list[Estimate]) -> bool:
    device = next(stepper.classifier.parameters()).device
    if not can_compile(device):
        return False
    try:
        found.append(estimate(stepper, dataset, num_steps=num_steps))
    except (RuntimeError, MemoryError) as err:
        if not is_lack_of_memory(err):
            raise
        return False  # the run finds out for itself, with advice
    return is_worth_compiling(found[0].seconds, device)


def _others(stepper: Stepper) -> list[nn.Module]:
    """The average of the weights, and the teachers."""
    teachers = (t for t in teachers_of(stepper.objective) if isinstance(t, GivenTeacher))
    modules: list[nn.Module] = [teacher.module(torch.device("cpu")) for teacher in teachers]
    return modules if stepper.average is None else [stepper.average, *modules]
