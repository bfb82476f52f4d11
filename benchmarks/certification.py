"""Seconds of certifying against plain forward passes over as many images, on the same network.

    python benchmarks/certification.py --out certification.json

The network is a spiking VGG-5 on generated 32x32 colour images, untrained, with its normalisation settled on
random images, behind RSC-I of variance 0.1. Certifying makes the noise of every draw, keyed by image, counts
votes, and passes through the folded network; the plain pass is the trained network's on images that are coded
already, with nothing before or after. Both see the same number of rows in passes of the same size and take
turns; the ratio is the plain pass's time over that of certifying, round by round, and the median is reported.
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
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory()
    device = torch.device(options.device)
    plain, certifying = sides(options, device)
    rounds = []
    for number in range(options.rounds + ROUNDS_TO_WARM_UP):
        times = [seconds(work, device) for work in (plain, certifying)]
        if number >= ROUNDS_TO_WARM_UP:
            rounds.append(times)
    ratio = statistics.median(first / second for first, second in rounds)
    rows = options.rows * options.passes
    result = {
        "hidden_width": options.hidden_width,
        "num_steps": options.num_steps,
        "rows_per_pass": options.rows,
        "rows": rows,
        "seconds_plain_and_certifying": [[round(value, 4) for value in times] for times in rounds],
        "ratio": round(ratio, 3),
        "draws_per_second": round(rows / statistics.median(second for _, second in rounds), 1),
        "load_average": os.getloadavg(),
        "environment": describe_environment(device, seed=0),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"certifying {result['draws_per_second']} draws/s, {ratio:.2f} x the speed of plain passes")


def sides(
    options: argparse.Namespace, device: torch.device
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the two pieces of work."""
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
    fast = rs.SpikingClassifier(folded(network), coding, options.num_steps, mean, std).to(device).eval()
    voter = Voter(fast, 10, seed=0, rows_per_pass=options.rows)
    draws = options.rows // len(images) * options.passes

    @torch.no_grad()
    def plain() -> None:
        for _ in range(options.passes):
            classifier.respond(current)

    def certifying() -> object:
        return voter.count(images, torch.arange(len(images)), "estimate", first=0, num_draws=draws)

    return plain, certifying


def seconds(work: Work, device: torch.device) -> float:
    """Time some work until the device is done with it."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
