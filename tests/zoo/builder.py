"""A zoo of one tiny network, in a folder of the test."""

from pathlib import Path

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.runs.reduction import reduce_run
from tests.helpers import small_classifier

NAME, ROWS = "tiny-rsc", Path("results/tiny-zoo")


def measured_run(folder: Path, coding: rs.codings.AbstractCoding | None = None) -> Path:
    """A reduced run of a tiny network with rows of every kind on six digits."""
    coding = coding or rs.codings.RandomizedSmoothing(variance=0.1)
    rs.save(folder / "whole", small_classifier(coding), data="digits")
    run = folder / "half"
    reduce_run(folder / "whole", run)
    common = [str(run), "--limit", "6", "--device", "cpu"]
    assert main(["attack", *common, "--draws", "2", "--rows", "12"]) == 0
    assert main(["certify", *common, "--samples", "50", "--select", "10", "--rows", "60", "--no-attack"]) == 0
    return run
