"""Seconds of certifying against plain forward passes over as many images, on the same network.

    python benchmarks/certification.py --out certification.json

The network is a spiking VGG-5 on generated 32x32 colour images, untrained, with its normalisation settled on
random images, behind RSC-I of variance 0.1. Certifying makes the noise of every draw, keyed by image, counts
votes, and passes through the folded network, plain or compiled by torch. A plain pass sees images that are
coded already, with nothing before or after, through the trained network and through the folded one. All see
the same number of rows in passes of the same size and take turns; ratios are a plain pass's time over that of
certifying, round by round, and medians are reported.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

import rsc_snn as rs
from rsc_snn.certification.votes import Voter
from rsc_snn.cli.memory import keep_freed_memory
from rsc_snn.networks.compiling import compile_network
from rsc_snn.networks.folding import folded
from rsc_snn.runs.environment import describe_environment

ROUNDS_TO_WARM_UP = 1
Work = Callable[[], object]


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--rows", type=int, default=128, help="images and draws of a pass")
    parser.add_argument("--passes", type=int, default=4, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hidden-width", type=int, default=1024)
    parser.add_argument("--num-steps", type=int, default=4, help="T")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    device = torch.device(options.device)
    works = sides(options, device)
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(options.rounds + ROUNDS_TO_WARM_UP):
        for name, work in works.items():
            taken = seconds(work, device)
            if number >= ROUNDS_TO_WARM_UP:
                times[name].append(taken)
    rows = options.rows * options.passes
    ratios = {
        f"{name} / {certifying}": ratio(times[name], times[certifying])
        for name in ("plain", "plain folded")
        for certifying in ("certifying", "certifying compiled")
        if certifying in times
    }
    result = {
        "hidden_width": options.hidden_width,
        "num_steps": options.num_steps,
        "rows_per_pass": options.rows,
        "rows": rows,
        "seconds": {name: [round(value, 4) for value in taken] for name, taken in times.items()},
        "ratios": ratios,
        "draws_per_second": {
            name: round(rows / statistics.median(taken), 1) for name, taken in times.items()
        },
        "load_average": os.getloadavg(),
        "environment": describe_environment(device, seed=0),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({"draws_per_second": result["draws_per_second"], "ratios": ratios}, indent=1))


def ratio(plain: list[float], certifying: list[float]) -> float:
    """Median over rounds of how many times as fast certifying is."""
    return round(statistics.median(a / b for a, b in zip(plain, certifying, strict=True)), 3)


def sides(options: argparse.Namespace, device: torch.device) -> dict[str, Work]:
    """Return the pieces of work by name."""
    generator = torch.Generator().manual_seed(0)
    network = rs.networks.VGG5(hidden_width=options.hidden_width).build(generator=generator)
    coding = rs.codings.RandomizedSmoothing(variance=0.1)
    mean, std = (0.491, 0.482, 0.447), (0.247, 0.243, 0.262)
    classifier = rs.SpikingClassifier(network, coding, options.num_steps, mean, std).to(device)
    images = torch.rand(8, 3, 32, 32, generator=generator).to(device)
    with torch.no_grad():
        for _ in range(20):
            classifier(images)
    classifier.eval()
    repeated = images.repeat_interleave(options.rows // len(images), 0)
    current = coding.encode(repeated, options.num_steps)
    fast, compiled = (
        rs.SpikingClassifier(folded(network), coding, options.num_steps, mean, std).to(device).eval()
        for _ in range(2)
    )
    draws = options.rows // len(images) * options.passes

    @torch.no_grad()
    def passes(through: rs.SpikingClassifier) -> None:
        for _ in range(options.passes):
            through.respond(current)

    def certifying(through: rs.SpikingClassifier, *, is_padded: bool) -> None:
        voter = Voter(through, 10, seed=0, rows_per_pass=options.rows, is_padded=is_padded)
        voter.count(images, torch.arange(len(images)), "estimate", first=0, num_draws=draws)

    works: dict[str, Work] = {
        "plain": lambda: passes(classifier),
        "plain folded": lambda: passes(fast),
        "certifying": lambda: certifying(fast, is_padded=False),
    }
    if options.compile:
        compile_network(compiled.network, lambda: compiled.respond(current))
        works["certifying compiled"] = lambda: certifying(compiled, is_padded=True)
    return works


def seconds(work: Work, device: torch.device) -> float:
    """Time some work until the device is done with it."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
