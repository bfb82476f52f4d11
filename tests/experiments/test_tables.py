"""Table functions ask for exactly the cells of the paper's tables."""

from dataclasses import replace

import pytest

import rsc_snn as rs
from rsc_snn.attacks import Entry
from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.experiments.budget import PAPER, SHORT, SMOKE, Budget, budget_called
from rsc_snn.experiments.cells import AbstractCell, Attacked, Audited, Theorems, Trained, Transferred
from rsc_snn.experiments.places import chosen, is_papers, table_functions
from rsc_snn.experiments.tables.context import Asked, Context
from rsc_snn.gradients import BPTT, Expectation
from rsc_snn.neurons import LIF, ReLU
from rsc_snn.objectives import ERSCT, SNNRAT, Adversarial
from rsc_snn.paper.numbers import of_place
from rsc_snn.report.reproduction.place import PLACES, QUESTIONS
from rsc_snn.spec import from_data, to_data

EPS = 8 / 255


def lines_of(place: str, budget: Budget = PAPER, **options: object) -> list[Asked]:
    return table_functions()[place](Context(budget, **options))  # type: ignore[arg-type]


def white_box_cell(asked: Asked) -> Attacked:
    return next(cell for cell in asked.cells if isinstance(cell, Attacked))


@pytest.mark.parametrize("place", ["table3", "table4", "table5", "table6"])
def test_the_rows_are_those_of_the_paper(place: str) -> None:
    ours = [(a.line.dataset, a.line.network, a.line.method) for a in lines_of(place)]
    papers = dict.fromkeys((n.dataset, n.network, n.method) for n in of_place(place))
    assert ours == list(papers)


def test_table_7_has_the_methods_of_the_paper_and_measures_the_competitor() -> None:
    ours = [(asked.line.dataset, asked.line.method) for asked in lines_of("table7")]
    assert ours == list(dict.fromkeys((n.dataset, n.method) for n in of_place("table7")))
    recipes = {a.line.method: white_box_cell(a).network.recipe for a in lines_of("table7")[:3]}
    assert recipes["Vanilla"].coding == Direct()
    assert isinstance(recipes["SNN-RAT"].objective, SNNRAT)
    assert isinstance(recipes["RSC-0.1 + E-RSCT"].objective, ERSCT)


@pytest.mark.parametrize(
    ("dataset", "network", "name", "kind"),
    [
        ("CIFAR-10", "VGG-5", "cifar10", rs.networks.VGG5),
        ("CIFAR-100", "VGG-11", "cifar100", rs.networks.VGG11),
        ("Tiny-ImageNet", "VGG-16", "tiny-imagenet", rs.networks.VGG16),
        ("ImageNet", "ResNet-19", "imagenet", rs.networks.ResNet19),
        ("ImageNet", "SEW-ResNet-18", "imagenet", rs.networks.SEWResNet18),
    ],
)
def test_rows_name_the_data_set_and_network_that_is_trained(
    dataset: str, network: str, name: str, kind: type
) -> None:
    for place in ("table3", "table4", "table6"):
        for asked in lines_of(place):
            if (asked.line.dataset, asked.line.network) == (dataset, network):
                for cell in asked.cells:
                    assert cell.needs[0].recipe.data.name == name
                    assert type(cell.needs[0].recipe.network) is kind


def test_rows_name_the_method_that_is_trained() -> None:
    found = {a.line.method: white_box_cell(a).network.recipe for a in lines_of("table3")[:5]}
    assert {name: recipe.coding for name, recipe in found.items()} == {
        "ANN": Direct(),
        "Direct": Direct(),
        "Poisson": Poisson(),
        "RSC-0.01": RandomizedSmoothing(variance=0.01),
        "RSC-0.1": RandomizedSmoothing(variance=0.1),
    }
    assert found["ANN"].neuron == ReLU()
    assert found["ANN"].num_steps == 1
    assert all(isinstance(found[name].neuron, LIF) for name in found if name != "ANN")
    adversarial = white_box_cell(lines_of("table5")[1]).network.recipe
    assert isinstance(adversarial.objective, Adversarial)
    assert adversarial.coding == RandomizedSmoothing(variance=0.1)


@pytest.mark.parametrize("place", ["table3", "table5", "table6", "table7"])
def test_white_box_is_the_papers_protocol_beside_the_reliable_one(place: str) -> None:
    for asked in lines_of(place):
        paper, reliable = (cell for cell in asked.cells if isinstance(cell, Attacked))
        assert paper.suites == (rs.attacks.paper(EPS),)
        assert paper.limit is None
        assert asked.line.numbers["FGSM"][0].where["entry"] == "FGSM"
        assert asked.line.numbers["PGD"][0].where["entry"] == "PGD"
        assert reliable.suites == (rs.attacks.reliable(EPS),)
        assert {source.recipe.name.rpartition("-")[2] for source in reliable.sources} <= {"ann", "direct"}
        assert reliable.network not in reliable.sources
        assert asked.line.numbers["reliable"][0].where["entry"] == "worst"


def test_black_box_comes_from_another_seed_of_the_same_recipe() -> None:
    for asked in lines_of("table4"):
        (cell,) = asked.cells
        assert isinstance(cell, Transferred)
        assert cell.source.recipe == cell.network.recipe
        assert cell.source.seed != cell.network.seed
        assert cell.eps == EPS


def test_table_2_is_eot_pgd_over_k() -> None:
    found = lines_of("table2")
    assert [asked.line.conditions["draws"] for asked in found] == 2 * [1, 2, 5, 10, 20, 50]
    cell = white_box_cell(found[0])
    assert [entry.gradient for entry in cell.suites[0].entries] == [
        Expectation(of=BPTT(), num_draws=count) for count in (1, 2, 5, 10, 20, 50)
    ]
    attack = rs.attacks.PGD(eps=EPS, step_size=2 / 255, num_steps=10, random_start=True)
    assert {entry.attack for entry in cell.suites[0].entries} == {attack}
    for asked, entry in zip(found, 2 * cell.suites[0].entries, strict=True):
        assert asked.line.numbers["EOT-PGD"][0].where["entry"] == entry.name


def test_table_1_is_an_audit_with_transfer_from_a_separately_trained_network() -> None:
    (asked,) = lines_of("table1")
    (cell,) = asked.cells
    assert isinstance(cell, Audited)
    assert cell.network.recipe.coding == RandomizedSmoothing(variance=0.1)
    assert (cell.network.recipe, cell.network.seed + 1) in [(s.recipe, s.seed) for s in cell.sources]


def test_figure_3_is_three_variances_at_four_strengths() -> None:
    found = lines_of("figure3")
    conditions = [(a.line.conditions["variance"], round(255 * a.line.conditions["eps"])) for a in found]
    assert conditions == [(variance, eps) for variance in (0.01, 0.1, 0.5) for eps in (2, 4, 6, 8)]
    for asked in found:
        (cell,) = asked.cells
        assert isinstance(cell, Attacked)
        coding = cell.network.recipe.coding
        assert coding == RandomizedSmoothing(variance=asked.line.conditions["variance"])
        eps = asked.line.conditions["eps"]
        assert asked.line.numbers["PGD"][0].where["eps"] == eps
        assert rs.attacks.paper(eps) in cell.suites


def test_figure_2_is_the_theory_on_a_trained_layer() -> None:
    ((cell,),) = ([*asked.cells] for asked in lines_of("figure2"))
    assert isinstance(cell, Theorems)
    assert cell.network is not None


def all_cells(budget: Budget, **options: object) -> list[AbstractCell]:
    return [
        cell
        for place in table_functions()
        for asked in lines_of(place, budget, **options)
        for cell in asked.cells
    ]


def test_tables_share_cells_by_content() -> None:
    first, again = (Context(PAPER) for _ in range(2))
    in_table_3 = {cell.key for asked in table_functions()["table3"](first) for cell in asked.cells}
    for place in ("table5", "table6"):
        baseline = table_functions()[place](again)[0]
        assert baseline.line.method == "RSC-0.1"
        assert {cell.key for cell in baseline.cells} <= in_table_3


def test_whatever_changes_in_a_cell_changes_its_key() -> None:
    cell = white_box_cell(lines_of("table3")[4])
    others = [
        replace(cell, limit=100),
        replace(cell, num_draws=3),
        replace(cell, suites=(rs.attacks.paper(4 / 255),)),
        replace(cell, network=replace(cell.network, seed=1)),
        replace(cell, network=replace(cell.network, recipe=replace(cell.network.recipe, num_steps=4))),
        Trained(network=cell.network),
    ]
    assert len({other.key for other in (cell, *others)}) == len(others) + 1
    assert replace(cell).key == cell.key
    assert others[3].run != cell.run
    assert others[4].run != cell.run


def test_cells_are_written_down_and_read_back() -> None:
    for cell in {cell.key: cell for cell in all_cells(SMOKE)}.values():
        assert from_data(to_data(cell), type(cell)) == cell


def test_more_seeds_are_more_cells_of_the_same_lines() -> None:
    one, three = lines_of("table5"), lines_of("table5", seeds=(0, 1, 2))
    assert [len(asked.cells) for asked in three] == [3 * len(asked.cells) for asked in one]
    for few, many in zip(one, three, strict=True):
        assert many.line.numbers["PGD"][:1] == few.line.numbers["PGD"]
        assert len({rows.run for rows in many.line.numbers["PGD"]}) == 3


def test_smoke_replaces_every_network_and_says_so_in_each_line() -> None:
    for place in table_functions():
        for asked in lines_of(place, SMOKE):
            said = asked.line.stand_in
            assert said is not None
            assert said.startswith("digits, VGG5 of hidden width 256")
            assert said.endswith(f"in place of {asked.line.dataset} {asked.line.network}")
            for network in (network for cell in asked.cells for network in cell.needs):
                assert network.recipe.data.name == "digits"


def test_short_says_what_it_cut_and_paper_cuts_nothing() -> None:
    short = {asked.line.method: asked.line for asked in lines_of("table3", SHORT)[:5]}
    trained = ("3 of 100 epochs", "10,000 training images", "batch 32 for 64", "rate 0.05 for 0.1")
    assert short["RSC-0.1"].reductions == (*trained, "T=4 for 8", "hidden width 1024 for 4096")
    assert short["ANN"].reductions == (*trained, "hidden width 1024 for 4096")
    assert all(asked.line.reductions == () for place in table_functions() for asked in lines_of(place))
    ersct = white_box_cell(lines_of("table6", SHORT)[1]).network.recipe.objective
    assert isinstance(ersct, ERSCT)
    assert "epochs=3" in repr(ersct.teacher)


def test_limits_are_the_smaller_of_budget_and_wish() -> None:
    found = {cell.limit for cell in all_cells(SHORT, limit=40) if isinstance(cell, Attacked | Transferred)}
    assert found == {SHORT.num_reliable, 40}
    assert white_box_cell(lines_of("table3", SHORT, limit=10_000)[0]).limit == 500


def test_every_number_of_a_line_belongs_to_one_of_its_cells() -> None:
    for place in table_functions():
        for asked in lines_of(place, SMOKE):
            keys = {cell.key: cell for cell in asked.cells}
            for rows in (rows for found in asked.line.numbers.values() for rows in found):
                assert keys[rows.cell].run == rows.run
                cell = keys[rows.cell]
                if isinstance(cell, Attacked):
                    names = {entry.name or type(entry.attack).__name__ for entry in entries_of(cell)}
                    assert rows.where["entry"] in names | {"worst"}
                    assert rows.where["eps"] in {entry.attack.eps for entry in entries_of(cell)}


def entries_of(cell: Attacked) -> list[Entry]:
    return [entry for suite in cell.suites for entry in suite.entries]


def test_places_are_the_papers_in_order_and_then_ours() -> None:
    places = list(table_functions())
    papers = [*(f"table{number}" for number in range(1, 8)), *(f"figure{number}" for number in (1, 2, 3))]
    assert places[:10] == papers
    assert not any(map(is_papers, places[10:]))
    assert chosen(["figure3", "table2"]) == ("table2", "figure3")
    asked = {place.key for place in QUESTIONS}
    assert chosen(["all"]) == tuple(place for place in places if place not in asked)
    assert set(chosen(["questions"])) == asked


def test_the_report_has_a_heading_for_every_place_and_lists_no_other() -> None:
    assert set(table_functions()) == set(PLACES)


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"unknown table, figure or question 'tabel3'; did you mean 'table3'\?"
    ):
        chosen(["tabel3"])
    with pytest.raises(ValueError, match=r"unknown budget 'smok'; did you mean 'smoke'\?"):
        budget_called("smok")
