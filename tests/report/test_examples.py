"""Strips, rasters and activity of hand-made examples, down to the pixels of the pictures."""

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from rsc_snn.errors import RunFolderError
from rsc_snn.report.activity import activity_section, conditions_of
from rsc_snn.report.examples import example_sections
from rsc_snn.report.rasters import loudest, raster_section, shown_layers
from rsc_snn.report.sections import Picture
from rsc_snn.report.strips import answer, strip_section
from rsc_snn.runs.examples import Array, ExampleFacts, Examples, ShownLayer, read_examples, write_examples
from rsc_snn.runs.files import Row, append_rows
from rsc_snn.runs.folder import RunFolder

LAYER = ShownLayer(name="features.0", num_neurons=100, neurons=(3, 50), num_spread=1, threshold=1.0)
FACTS = ExampleFacts(
    subject="abc", seed=0, eps=8 / 255, limit=64, num_examples=2, asked_draws=10, num_draws=10,
    attack="PGD()", coding="Poisson()", num_steps=3, classes=("cat", "dog", "flying squirrel"),
    indices=(0, 7), labels=(0, 2), clean_counts=((9, 1, 0), (0, 5, 5)),
    attacked_counts=((2, 8, 0), (0, 0, 10)), every_pixel=1, layers=(LAYER,),
)  # fmt: skip


def pictures(shape: tuple[int, ...] = (2, 3, 2, 2)) -> dict[str, Array]:
    """Red, green, blue and white; the coded image black, its mean grey; one pixel attacked by 0.03."""
    clean = np.zeros(shape)
    clean[:, 0, 0, 0] = clean[:, 1, 0, 1] = clean[:, 2, 1, 0] = 1
    clean[:, :, 1, 1] = 1
    attacked = clean.copy()
    attacked[:, 0, 0, 0] -= 0.03
    mean = np.full(shape, 128 / 255)
    return {"clean": clean, "coded": np.zeros(shape), "coded_mean": mean, "attacked": attacked}


def examples(**changes: Any) -> Examples:
    facts = dataclasses.replace(FACTS, **changes)
    spikes = np.array([[[1, 0], [0, 0], [1, 1]], [[0, 0], [0, 0], [0, 1]]], dtype=bool)
    membranes = np.where(spikes, 1.5, 0.5)
    names = [layer.name for layer in facts.layers]
    return Examples(facts, pictures(), dict.fromkeys(names, spikes), dict.fromkeys(names, membranes))


def decoded(picture: Picture) -> Array:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def rows(*, is_spiking: bool = True, num_images: int = 40) -> list[Row]:
    """Two layers and the read-out; the attack adds one point to the rate of each."""
    found: list[Row] = []
    for condition, more in (("clean", 0.0), ("PGD", 0.01), ("noise", 0.0)):
        for position, layer in enumerate(("features.0", "hidden.0", "readout")):
            has_neurons = layer != "readout"
            rate = 0.1 * (position + 1) + more
            found.append(
                {
                    "condition": condition, "attack": None, "gradient": None, "layer": layer,
                    "position": position, "is_spiking": is_spiking if has_neurons else None,
                    "num_neurons": 4096 if has_neurons else 0, "num_steps": 4, "num_images": num_images,
                    "rate": [rate, rate - 0.02, rate + 0.02] if has_neurons else None,
                    "change": [more, more - 0.001, more + 0.001] if has_neurons and more else None,
                    "silent": 0.25 if has_neurons else None,
                    "accumulates": [1000.0 * position + 1e5 * more, 0.0, 9e9],
                    "multiply_accumulates": [0.0 if position else 30976.0, 0.0, 9e9],
                    "connections": 2_000_000, "seed": 0, "eps": 8 / 255, "limit": 64, "subject": "abc",
                }
            )  # fmt: skip
    return found


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "examples.safetensors"
    written = examples()
    write_examples(path, written)
    found = read_examples(path)
    assert found is not None
    assert found.facts.layers == FACTS.layers
    assert json.dumps(dataclasses.asdict(found.facts)) == json.dumps(dataclasses.asdict(FACTS))
    for name, picture in written.pictures.items():
        assert np.allclose(found.pictures[name], picture, atol=5e-4)
    assert np.array_equal(found.spikes["features.0"], written.spikes["features.0"])
    assert np.array_equal(found.membranes["features.0"], written.membranes["features.0"])
    assert read_examples(tmp_path / "none") is None


@pytest.mark.parametrize("harm", ["cut", "schema", "arrays", "facts"])
def test_damaged_files_are_refused(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "examples.safetensors"
    write_examples(path, examples())
    facts = {"schema": 1, **dataclasses.asdict(FACTS)}
    arrays = load_file(path)
    harms: dict[str, Callable[[], object]] = {
        "cut": lambda: path.write_bytes(path.read_bytes()[:-5]),
        "schema": lambda: save_file(arrays, path, {"facts": json.dumps({**facts, "schema": 2})}),
        "arrays": lambda: save_file(
            {**arrays, "clean": arrays["clean"][:1]}, path, {"facts": json.dumps(facts)}
        ),
        "facts": lambda: save_file(arrays, path, {"facts": json.dumps({"schema": 1})}),
    }
    harms[harm]()
    with pytest.raises(RunFolderError, match="observe the run again"):
        read_examples(path)


def test_answers_carry_a_sign_and_a_tie_is_wrong() -> None:
    assert answer((9, 1, 0), 0, FACTS.classes).text == "\u2713 cat (9/10)"
    assert answer((2, 8, 0), 0, FACTS.classes).text == "\u2717 dog (8/10)"
    assert answer((0, 5, 5), 2, FACTS.classes).text == "\u2717 tie (5/10)"
    assert answer((0, 0, 1), 2, FACTS.classes).text == "\u2713 flying squir\u2026"
    (table,) = strip_section("run", examples()).tables
    assert list(table.rows[0]) == ["0", "cat", "\u2713 cat (9/10)", "\u2717 dog (8/10)"]
    assert table.rows[1][2:] == ["\u2717 tie (5/10)", "\u2713 flying squir\u2026 (10/10)"]


def test_pixels_of_the_strip_are_those_of_the_images() -> None:
    """Tiles of 128 by 128 pixels, each quarter one pixel of the image, in five columns 160 apart."""
    section = strip_section("run", examples())
    (picture,) = section.pictures
    page = decoded(picture)
    assert page.shape[1] == 800 == picture.width
    for top in (26, 26 + 128 + 36 + 16):
        tiles = [page[top : top + 128, 16 + 160 * column :][:, :128] for column in range(5)]
        quarters = [[tile[y : y + 60, x : x + 60] for y in (2, 66) for x in (2, 66)] for tile in tiles]
        colours = [[quarter[0, 0].tolist() for quarter in tile] for tile in quarters]
        assert all((quarter == quarter[0, 0]).all() for tile in quarters for quarter in tile)
        assert colours[0] == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
        assert colours[1] == 4 * [[0, 0, 0]]
        assert colours[2] == 4 * [[128, 128, 128]]
        grey = colours[3][1]
        assert colours[3][1:] == 3 * [grey]
        assert np.abs(np.subtract(grey, 127.5)).max() < 1
        assert np.abs(np.subtract(colours[3][0], [255 * 0.2, 127.5, 127.5])).max() < 1.5
        assert colours[4][0] == [round(255 * 0.97), 0, 0]
    assert "1 of 2 clean images and 1 of 2 attacked" in picture.alt
    assert "one pixel in" not in picture.caption
    thinned = strip_section("run", examples(every_pixel=3)).pictures[0]
    assert "one pixel in 3" in thinned.caption


def test_a_wrong_answer_is_drawn_otherwise() -> None:
    right = examples(attacked_counts=((9, 1, 0), (0, 0, 10)))
    pages = [decoded(strip_section("run", found).pictures[0]) for found in (right, examples())]
    differ = (pages[0] != pages[1]).any(2)
    assert differ[26 + 128 :, 640:].any()
    assert not differ[:, :640].any()


def test_rasters_show_and_count_the_spikes() -> None:
    section = raster_section("run", examples())
    (picture,) = section.pictures
    assert "features.0 2 + 1 and 0 + 1" in picture.alt
    assert "test image 0 (cat)" in section.words[0]
    assert decoded(picture).std() > 5
    silent = raster_section("run", examples(layers=()))
    assert silent.pictures == ()
    assert "do not spike" in silent.words[0]


def test_many_layers_are_thinned_evenly() -> None:
    layers = [dataclasses.replace(LAYER, name=str(number)) for number in range(18)]
    shown = shown_layers(layers)
    assert [layer.name for layer in shown] == ["0", "2", "5", "7", "10", "12", "15", "17"]
    section = raster_section("run", examples(layers=tuple(layers)))
    assert "8 of 18 layers" in section.words[0]
    assert len(section.pictures[0].png) < 150_000
    assert shown_layers(layers[:8]) == layers[:8]


def test_the_loudest_neurons_are_chosen_by_spikes_and_place() -> None:
    spikes = np.array([[1, 0, 1, 1, 0, 0], [1, 0, 0, 1, 1, 0]])
    assert loudest(spikes) == [0, 2, 3, 4]
    assert loudest(spikes, 2) == [0, 3]


def test_tables_of_activity_show_rates_changes_and_operations() -> None:
    section = activity_section("run", rows())
    rates, operations = section.tables
    assert rates.columns == (
        "layer", "neurons", "firing rate, clean %", "change, PGD", "change, noise", "silent %"
    )  # fmt: skip
    assert [list(row) for row in rates.rows] == [
        ["features.0", "4,096", "10.00 [8.00, 12.00]", "+1.00 [+0.90, +1.10]", "-", "25.0"],
        ["hidden.0", "4,096", "20.00 [18.00, 22.00]", "+1.00 [+0.90, +1.10]", "-", "25.0"],
    ]
    assert [list(row) for row in operations.rows] == [
        ["features.0", "0", "1 k", "0", "31 k", "2 M"],
        ["hidden.0", "1 k", "2 k", "1 k", "0", "2 M"],
        ["readout", "2 k", "3 k", "2 k", "0", "2 M"],
        ["all", "3 k", "6 k", "3 k", "31 k", "6 M"],
    ]
    assert "Fewer than 30" not in section.words[0]
    assert "features.0 10.0 %; hidden.0 20.0 %" in section.pictures[0].alt
    assert list(conditions_of(rows()[::-1])) == ["clean", "noise", "PGD"]


def test_few_images_and_networks_without_spikes_are_said() -> None:
    section = activity_section("twin", rows(is_spiking=False, num_images=29))
    assert "Fewer than 30 images" in section.words[0]
    assert section.tables[0].title == "Active neurons"
    assert "such a twin itself" in section.tables[1].notes[-1]
    single = [{**row, "rate": row["rate"] and [row["rate"][0], None, None]} for row in rows(num_images=1)]
    assert activity_section("run", single).tables[0].rows[0][2] == "10.00"


def test_sections_need_no_torch(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert example_sections("run", folder) == []
    write_examples(folder.examples, examples())
    append_rows(folder.activity, rows())
    titles = [section.title.split(":")[0] for section in example_sections("run", folder)]
    assert titles == ["Example images", "Spikes and membranes", "Activity of the layers"]
    program = (
        "import sys, pathlib; from rsc_snn.report.examples import example_sections as sections; "
        "from rsc_snn.runs.folder import RunFolder; "
        "print(len(sections('run', RunFolder(pathlib.Path(sys.argv[1]))))); assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("3", "")
