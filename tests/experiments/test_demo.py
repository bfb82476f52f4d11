"""The demo, in small: every network, a table, curves and a page; a second call computes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

import rsc_snn as rs
from rsc_snn.cli.app import main
from rsc_snn.experiments import demo
from rsc_snn.training import Recipe


@pytest.mark.slow
def test_the_demo_tells_the_whole_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def small() -> list[Recipe]:
        network = rs.networks.VGG5(hidden_width=16)
        return [
            replace(
                r,
                network=network,
                num_steps=min(r.num_steps, 2),
                training=replace(r.training, epochs=1, num_images=64, num_validation=0),
            )
            for r in recipes()
        ]

    recipes = demo.recipes
    monkeypatch.setattr(demo, "recipes", small)
    monkeypatch.setattr(demo, "NUM_IMAGES", 4)
    monkeypatch.setattr(demo, "NUM_DRAWS", 2)
    monkeypatch.setattr(demo, "STRENGTHS", (8 / 255, 32 / 255))
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    for method in demo.METHODS:
        assert f"digits-vgg5-{method} " in out
        assert (tmp_path / "demo" / "runs" / f"digits-vgg5-{method}" / "attacks.jsonl").is_file()
    for column in ("clean %", "FGSM %", "PGD %", "F-QTE", "P-QTE"):
        assert column in out
    assert "Next:" in out
    page = tmp_path / "demo" / "report.html"
    assert "digits-vgg5-rsc2-0.1" in page.read_text()
    rows = {p: p.read_bytes() for p in (tmp_path / "demo").rglob("attacks.jsonl")}
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    assert "epoch" not in capsys.readouterr().out.replace("4 epochs", "")
    assert {p: p.read_bytes() for p in (tmp_path / "demo").rglob("attacks.jsonl")} == rows


def test_the_demo_trains_the_codings_of_the_paper_and_their_twin() -> None:
    codings = [recipe.coding for recipe in demo.recipes()]
    assert codings == [
        rs.codings.Direct(),
        rs.codings.Direct(),
        rs.codings.Poisson(),
        rs.codings.RandomizedSmoothing(variance=0.1),
        rs.codings.RandomizedSmoothing(variance=0.1, resample_each_step=True),
    ]
    assert not demo.recipes()[0].neuron.is_spiking
    assert len({recipe.network for recipe in demo.recipes()}) == 1
