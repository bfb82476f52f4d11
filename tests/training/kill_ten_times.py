"""Ten kills of a two-process run, each at a random moment, compared with a run that nobody disturbed.

python -m tests.training.kill_ten_times
"""

import sys
import tempfile
from pathlib import Path

import torch

from tests.training.launch import run, torchrun
from tests.training.test_many_processes import LONGER, kill_and_resume, timeless, train_command, weights


def main(num_kills: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        whole, killed = Path(place, "whole"), Path(place, "killed")
        run([*torchrun(2), *train_command("digits-vgg5-rsc0.1", whole, **LONGER)])
        command = train_command("digits-vgg5-rsc0.1", killed, **LONGER)
        moments = kill_and_resume(killed, command, num_kills, seed=seed, longest=1.5, launcher=torchrun(2))
        print("killed after", ", ".join(f"{moment:.2f} s" for moment in moments), "of progress")
        first, second = weights(whole), weights(killed)
        assert all(torch.equal(second[name], value) for name, value in first.items()), "weights differ"
        assert timeless(whole) == timeless(killed), "rows differ"
        num_rows = len(timeless(killed))
        print(f"{num_kills} kills, {num_rows} rows, none missing or doubled; weights equal to the bit")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, seed=10)
