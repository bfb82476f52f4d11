"""A network that is robust because it was trained to be passes, or warns; it does not fail."""

from dataclasses import replace
from pathlib import Path

import pytest

import rsc_snn as rs
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.runs.audit_schema import FAIL


@pytest.mark.slow
def test_an_adversarially_trained_network_gets_no_fail(tmp_path: Path) -> None:
    recipe = by_name("digits-vgg5-direct-adv")
    training = replace(recipe.training, epochs=4, batch_size=32, warmup_epochs=0.5)
    network = rs.networks.VGG5(hidden_width=128, width_divisor=4)
    small = replace(recipe, training=training, network=network, num_steps=2)
    rs.train(small, tmp_path / "run")
    test = rs.data.load("digits", None, "test").at(slice(12))
    audit = rs.audit(rs.load(tmp_path / "run"), test.pixels(), test.labels, budget="quick")
    told = [f"{a.name} {a.finding.verdict}: {a.finding.note}" for a in audit.answers]
    assert audit.worst != FAIL, told
    assert audit.settings["clean_accuracy"] > 0.6, "there was something to break"
