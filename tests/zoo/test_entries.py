"""Every network that comes with the package: whole, small, what its rows say, and no more than they say.

Card and rows are tied by writing the card again; rows and weights by the digest that each row carries, and on
the embedded digits by classifying images again.
"""

import re
from pathlib import Path

import pytest
import torch

import rsc_snn as rs
from rsc_snn.evaluation.images import test_images as images_of
from rsc_snn.evaluation.judge import collect_votes
from rsc_snn.evaluation.run import subject_of
from rsc_snn.runs import zoo
from rsc_snn.runs.folder import RunFolder
from rsc_snn.zoo.add import LARGEST, written_card

ROOT = Path(__file__).parents[2]
ENTRIES = zoo.entries()
DIGITS = [name for name, path in ENTRIES.items() if RunFolder(path).read_spec()["data"] == "digits"]
EMBEDDED = ("digits-vgg5-ann", "digits-vgg5-direct", "digits-vgg5-rsc0.1", "digits-vgg5-rsc0.1-adv")
MOST_IMAGES = 100


def rows_of(name: str) -> RunFolder:
    (found,) = (ROOT / "results").glob(f"*zoo*/{name}")
    return RunFolder(found)


def test_the_embedded_networks_are_there() -> None:
    assert set(EMBEDDED) <= ENTRIES.keys()


@pytest.mark.parametrize("name", ENTRIES)
def test_every_file_has_its_checksum_and_the_entry_is_small(name: str) -> None:
    files = {path.name for path in ENTRIES[name].iterdir()}
    assert files == zoo.checksums(ENTRIES[name]).keys()
    assert {"run.yaml", "environment.json", "weights.safetensors", zoo.CARD} <= files
    zoo.require_intact(ENTRIES[name])
    assert sum(path.stat().st_size for path in ENTRIES[name].iterdir()) < LARGEST


def test_no_checksum_is_of_something_else() -> None:
    listed = {line.split("  ")[1].split("/")[0] for line in (zoo.ZOO / zoo.SUMS).read_text().splitlines()}
    assert listed == ENTRIES.keys()


@pytest.mark.parametrize("name", ENTRIES)
def test_the_card_says_what_the_rows_say(name: str) -> None:
    assert (ENTRIES[name] / zoo.CARD).read_text() == written_card(name, rows_of(name).path.parent)


@pytest.mark.parametrize("name", ENTRIES)
def test_entry_and_rows_are_of_one_run_and_name_no_place(name: str) -> None:
    entry, rows = RunFolder(ENTRIES[name]), rows_of(name)
    assert rows.spec.read_text() == entry.spec.read_text()
    for folder in (entry, rows):
        text = folder.spec.read_text() + folder.environment.read_text()
        assert not re.search(r"(?<![\w.-])/(home|tmp|root|mnt|work|data)\b", text)
    found = [*rows.attack_rows(), *rows.certificate_rows(), *rows.audit_rows()]
    assert len({row["subject"] for row in found}) == 1


@pytest.mark.parametrize("name", ENTRIES)
def test_it_loads_in_float32_and_eval_mode(name: str) -> None:
    classifier = rs.load(name)
    assert not any(module.training for module in classifier.modules())
    assert {p.dtype for p in classifier.state_dict().values() if p.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize("name", DIGITS)
def test_digits_are_classified_as_the_rows_say(name: str) -> None:
    entry, rows = RunFolder(ENTRIES[name]), rows_of(name)
    test = images_of(entry, None, None)
    found = [row for row in rows.attack_rows() if (row["suite"], row["entry"]) == ("paper", "FGSM")]
    assert {row["subject"] for row in found} == {subject_of(entry, test)}
    assert len(found) == len(test)
    kept = sorted(found, key=lambda row: row["index"])[: MOST_IMAGES if found[0]["num_draws"] > 1 else None]
    votes = collect_votes(
        rs.load(name),
        test.pixels()[: len(kept)],
        test.labels[: len(kept)],
        indices=torch.arange(len(kept)),
        seed=kept[0]["seed"],
        purpose="score",
        num_draws=kept[0]["num_draws"],
        draw_chunk=kept[0]["num_draws"],
    )
    expected = torch.tensor([row["clean_counts"] for row in kept])
    moved = int((votes.counts - expected).abs().sum()) // 2
    assert moved <= 0.005 * int(expected.sum()), "rounding on another machine flips few votes"
