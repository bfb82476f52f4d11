"""Images per second and peak memory of a training step, for each network of the paper and its ANN twin.

Every case runs in a process of its own, since peak memory is a property of a process. Network and twin take
turns within the process, round after round, so that what else the machine does meets both.

    python benchmarks/training.py --out benchmarks/results/training.json
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

CASES = {
    "vgg5": "cifar10-vgg5",
    "vgg11": "cifar100-vgg11",
    "resnet19": "imagenet-resnet19",
    "sew-resnet18": "imagenet-sewresnet18",
}


def main() -> None:
    """Run the cases and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", help="float32 or bfloat16")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--num-steps", type=int, default=4, help="T of the spiking network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options)))
        return
    found = [run_alone(case) for case in options.cases]
    import torch

    from rsc_snn.runs.environment import describe_environment

    torch.set_num_threads(options.threads)
    environment = describe_environment(torch.device(options.device), benchmark="training")
    text = json.dumps({"environment": environment, "cases": found}, indent=1) + "\n"
    for case in found:
        speed, ratio = case["images_per_second"], case["ratio_to_twin"]
        needed, expected = case["peak_bytes"] / 1e9, case["estimated_bytes"] / 1e9
        print(
            f"{case['case']:14} {speed:8.2f} images/s, {ratio:.2f} times the twin's time; "
            f"peak {needed:.2f} GB, estimated {expected:.2f} GB"
        )
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)


def run_alone(case: str) -> dict[str, Any]:
    """Measure one case in a process of its own."""
    words = [sys.executable, __file__, *sys.argv[1:], "--case", case]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return speed and memory of one case; memory is that of the spiking network's first steps."""
    import torch

    from rsc_snn.cli.memory import keep_freed_memory
    from rsc_snn.experiments.catalogue import by_name
    from rsc_snn.training.estimate import estimate

    keep_freed_memory()
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    base = CASES[options.case]
    spiking, twin = by_name(f"{base}-rsc0.1"), by_name(f"{base}-ann")
    spiking = replace(spiking, num_steps=options.num_steps)
    before = peak(device)
    stepper, batch = prepared(spiking, options, device)
    step(stepper, batch, device)
    step(stepper, batch, device)
    peak_bytes = peak(device) - before
    estimated = estimate(stepper, spiking.data, num_steps=1).num_bytes
    other, other_batch = prepared(twin, options, device)
    step(other, other_batch, device)
    times, twin_times = [], []
    for _ in range(options.rounds):
        times.append(step(stepper, batch, device))
        twin_times.append(step(other, other_batch, device))
    seconds = statistics.median(times)
    return {
        "case": options.case,
        "recipe": spiking.name,
        "image_shape": spiking.data.image_shape,
        "num_steps": options.num_steps,
        "batch_size": options.batch_size,
        "precision": options.precision,
        "threads": options.threads,
        "num_parameters": sum(p.numel() for p in stepper.classifier.parameters()),
        "seconds_per_step": times,
        "twin_seconds_per_step": twin_times,
        "images_per_second": options.batch_size / seconds,
        "ratio_to_twin": statistics.median(a / b for a, b in zip(times, twin_times, strict=True)),
        "peak_bytes": peak_bytes,
        "estimated_bytes": estimated,
    }


def prepared(recipe: Any, options: argparse.Namespace, device: Any) -> tuple[Any, Any]:
    """Return a stepper and a batch of random images."""
    import torch

    from rsc_snn.data import ImageSet
    from rsc_snn.processes import Group
    from rsc_snn.rng import derived_generator
    from rsc_snn.training.step import Stepper

    settings = replace(recipe.training, batch_size=options.batch_size, precision=options.precision)
    generator = derived_generator(0, "benchmark")
    classifier = recipe.classifier().build(generator).to(device)
    stepper = Stepper(classifier, recipe.objective, settings, seed=0, group=Group())
    shape = (options.batch_size, *recipe.data.image_shape)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    labels = torch.arange(options.batch_size) % recipe.data.num_classes
    classes = tuple(map(str, range(recipe.data.num_classes)))
    return stepper, ImageSet.of(images, labels, classes).to(device)


def step(stepper: Any, batch: Any, device: Any) -> float:
    """Do one update and return its seconds."""
    clock = time.perf_counter()
    stepper.update([batch], epoch=0, step=0, rate=0.01).tolist()
    return time.perf_counter() - clock


def peak(device: Any) -> int:
    """Most memory that was in use so far: of the device, or of this process."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
