"""Seconds and memory of attacks: this library's PGD and EOT-PGD beside torchattacks' on the same network.

    python benchmarks/attacks.py --out attacks.json

The victim is a spiking VGG-5 on generated 32x32 colour images, untrained, with its normalisation settled on
random images. PGD: direct coding, 7 steps. EOT-PGD: RSC-I, 10 steps of 20 draws. Both sides take the same
number of passes there and back. They run one after the other in each round; the ratio is torchattacks' time
over ours, round by round, and the median is reported. Peak memory is that of a process of its own for each
(on a GPU, of the allocator), less what it holds before the attack.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchattacks

import rsc_snn as rs
from rsc_snn.cli.memory import keep_freed_memory
from rsc_snn.runs.environment import describe_environment

EPS, STEP, DRAWS = 8 / 255, 0.01, 20
SIDES = ("ours", "torchattacks")
Attack = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def main() -> None:
    """Measure, print, write JSON."""
    options = read_options()
    torch.set_num_threads(options.threads)
    if options.one:
        print(peak_of(options))
        return
    keep_freed_memory()
    rows = [measure(options, pair) for pair in (("pgd", options.images), ("eot", options.eot_images))]
    result = {
        "hidden_width": options.hidden_width,
        "num_steps": options.num_steps,
        "rounds": options.rounds,
        "load_average": os.getloadavg(),
        "rows": rows,
        "environment": environment(options.device),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    for row in rows:
        for name in SIDES:
            side = row[name]
            print(f"{name}: {side['seconds']:.2f} s, {side['peak_mebibytes']:.0f} MiB")
        print(f"{row['attack']}, {row['images']} images: ours is {row['ratio']:.2f} x as fast")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--images", type=int, default=64, help="of PGD, in one batch")
    parser.add_argument("--eot-images", type=int, default=16, help="of EOT-PGD, in one batch")
    parser.add_argument("--hidden-width", type=int, default=1024)
    parser.add_argument("--num-steps", type=int, default=4, help="T")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def victim(options: argparse.Namespace, coding: rs.codings.AbstractCoding) -> rs.SpikingClassifier:
    """A spiking VGG-5 whose neurons fire."""
    generator = torch.Generator().manual_seed(0)
    network = rs.networks.VGG5(hidden_width=options.hidden_width).build(generator=generator)
    classifier = rs.SpikingClassifier(network, coding, options.num_steps, (0.5,), (0.25,))
    with torch.no_grad():
        for _ in range(5):
            classifier.train()(torch.rand(16, 3, 32, 32, generator=generator))
    return classifier.eval().to(options.device)


def contenders(options: argparse.Namespace, kind: str) -> dict[str, Attack]:
    """Ours and theirs, on victims of the same weights."""
    if kind == "pgd":
        model = victim(options, rs.codings.Direct())
        ours = rs.attacks.PGD(eps=EPS, step_size=STEP, num_steps=7)
        theirs = torchattacks.PGD(model, eps=EPS, alpha=STEP, steps=7, random_start=False)
        return {"ours": lambda x, y: ours(model, x, y), "torchattacks": theirs}
    model = victim(options, rs.codings.RandomizedSmoothing(variance=0.1))
    path = rs.gradients.Expectation(num_draws=DRAWS)
    ours = rs.attacks.PGD(eps=EPS, step_size=STEP, num_steps=10, random_start=True)
    theirs = torchattacks.EOTPGD(model, eps=EPS, alpha=STEP, steps=10, eot_iter=DRAWS)
    return {"ours": lambda x, y: ours(model, x, y, gradient=path), "torchattacks": theirs}


def batch(options: argparse.Namespace, num_images: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images and labels."""
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(num_images, 3, 32, 32, generator=generator)
    labels = torch.randint(0, 10, (num_images,), generator=generator)
    return images.to(options.device), labels.to(options.device)


def measure(options: argparse.Namespace, pair: tuple[str, int]) -> dict[str, Any]:
    """Seconds and ratio of each round, and the peak memory of each side."""
    kind, num_images = pair
    attacks = contenders(options, kind)
    images, labels = batch(options, num_images)
    seconds: dict[str, list[float]] = {name: [] for name in attacks}
    for _ in range(options.rounds + 1):  # the first round warms up
        for name, attack in attacks.items():
            clock = time.perf_counter()
            attack(images, labels).sum().item()
            seconds[name].append(time.perf_counter() - clock)
    ratios = [b / a for a, b in zip(seconds["ours"][1:], seconds["torchattacks"][1:], strict=True)]
    sides = {
        name: {
            "seconds": round(statistics.median(found[1:]), 3),
            "rounds": [round(value, 3) for value in found[1:]],
            "peak_mebibytes": round(peak(options, kind, name, num_images), 1),
        }
        for name, found in seconds.items()
    }
    names = {"pgd": "PGD, 7 steps", "eot": f"EOT-PGD, 10 steps of {DRAWS} draws"}
    row = {"attack": names[kind], "images": num_images, **sides, "ratio": round(statistics.median(ratios), 3)}
    return {**row, "ratios": [round(ratio, 3) for ratio in ratios]}


def peak(options: argparse.Namespace, kind: str, name: str, num_images: int) -> float:
    """Peak memory of an attack, MiB, in a process of its own."""
    words = [sys.executable, __file__, "--one", f"{kind}:{name}:{num_images}", "--device", options.device]
    words += ["--hidden-width", str(options.hidden_width), "--num-steps", str(options.num_steps)]
    words += ["--threads", str(options.threads)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1])


def peak_of(options: argparse.Namespace) -> float:
    """Peak memory of one attack in this process, MiB, less what was held before."""
    kind, name, num_images = options.one.split(":")
    attack = contenders(options, kind)[name]
    images, labels = batch(options, int(num_images))
    if options.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        attack(images, labels)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew (Linux)
    before = high_water()
    attack(images, labels)
    return high_water() - before


def high_water() -> float:
    """Most memory that this process held since the mark was set, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def environment(device: str) -> dict[str, Any]:
    """Hardware and versions."""
    described = describe_environment(torch.device(device))
    kept = {key: described[key] for key in ("python", "platform", "packages", "device") if key in described}
    return {**kept, "cores": len(os.sched_getaffinity(0)), "torchattacks": torchattacks.__version__}


if __name__ == "__main__":
    main()
