"""The open questions are experiments: each varies what it asks about, and nothing else."""

from dataclasses import replace

import pytest

import rsc_snn as rs
from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.experiments.arm import METHODS, Arm, as_arm
from rsc_snn.experiments.budget import PAPER, SMALL
from rsc_snn.experiments.catalogue import by_name
from rsc_snn.experiments.cells import Attacked, Network
from rsc_snn.experiments.places import chosen, question_functions, table_functions
from rsc_snn.experiments.plan import Filter, ask
from rsc_snn.experiments.questions import adversarial, parts, protocol, variance
from rsc_snn.experiments.reduced import network_for, reductions
from rsc_snn.experiments.tables.context import Asked, Context
from rsc_snn.neurons import ReLU
from rsc_snn.objectives import ERSCT, TET, Adversarial, CrossEntropy
from rsc_snn.training import Recipe

BASE = "cifar10-vgg5"
CONTEXT = Context(PAPER)


def recipes(lines: list[Asked]) -> list[Recipe]:
    found = []
    for asked in lines:
        cell = asked.cells[0]
        assert isinstance(cell, Attacked)
        found.append(cell.network.recipe)
    return found


def same_but(recipe: Recipe, **changes: object) -> Recipe:
    return replace(by_name(f"{BASE}-rsc0.1"), name=recipe.name, **changes)  # type: ignore[arg-type]


def test_questions_are_asked_for_by_name_or_together_and_not_by_all() -> None:
    names = [
        "adversarial",
        "parts",
        "protocol",
        "resampling",
        "surrogates",
        "timesteps",
        "tradeoff",
        "variance",
    ]
    assert list(question_functions()) == names
    assert list(table_functions())[-len(names) :] == names
    assert chosen(["questions"]) == tuple(names)
    assert chosen(["all"]) == tuple(table_functions())[: -len(names)]
    assert chosen(["variance", "table3"]) == ("table3", "variance")


def test_the_levels_of_the_paper_are_asked_for_in_both_readings() -> None:
    codings = [recipe.coding for recipe in recipes(variance.lines(CONTEXT))]
    assert codings[0] == Direct()
    smoothings = codings[1:]
    for level in (0.01, 0.1, 0.5):
        assert RandomizedSmoothing(variance=level) in smoothings
        square = RandomizedSmoothing.from_std(level).variance
        assert any(
            isinstance(coding, RandomizedSmoothing) and coding.variance == pytest.approx(square)
            for coding in smoothings
        )


@pytest.mark.parametrize(
    ("place", "field"), [("timesteps", "num_steps"), ("surrogates", "neuron"), ("resampling", "coding")]
)
def test_only_one_field_is_varied(place: str, field: str) -> None:
    found = recipes(table_functions()[place](CONTEXT))
    values = [getattr(recipe, field) for recipe in found]
    assert len({repr(value) for value in values}) == len(values)
    for recipe, value in zip(found, values, strict=True):
        assert recipe == same_but(recipe, **{field: value})


def test_the_parts_of_e_rsct_are_its_losses_alone_and_other_weights() -> None:
    found = {
        arm.label: recipe.objective
        for arm, recipe in zip(parts.ARMS, recipes(parts.lines(CONTEXT)), strict=True)
    }
    assert found["RSC-0.1"] == CrossEntropy()
    assert found["pre-synaptic loss only"] == TET()
    whole, distilled = found["E-RSCT"], found["distillation only"]
    assert isinstance(whole, ERSCT)
    assert distilled == replace(whole, presynaptic=CrossEntropy())
    weights = {
        label: objective.kd_weight for label, objective in found.items() if isinstance(objective, ERSCT)
    }
    assert weights == {
        "distillation only": 0.1,
        "E-RSCT": 0.1,
        "E-RSCT lambda 0.01": 0.01,
        "E-RSCT lambda 0.5": 0.5,
        "E-RSCT lambda 1": 1.0,
    }


def test_adversarial_training_is_the_papers_and_a_stronger_one_for_every_coding() -> None:
    lines = adversarial.lines(CONTEXT)
    attacks = [
        recipe.objective.attack if isinstance(recipe.objective, Adversarial) else None
        for recipe in recipes(lines)
    ]
    fast = rs.attacks.PGD(eps=8 / 255, step_size=10 / 255, num_steps=1, random_start=True)
    assert attacks == 4 * [None, rs.attacks.FGSM(eps=2 / 255), fast]
    assert [asked.line.method for asked in lines[:3]] == ["Direct", "Direct + Adv", "Direct + Adv 8/255"]


def test_the_trade_off_has_noise_on_spiking_network_and_ann_and_poisson_coding() -> None:
    found = recipes(table_functions()["tradeoff"](CONTEXT))
    noisy = [recipe for recipe in found if isinstance(recipe.neuron, ReLU)]
    smoothed = [r for r in found if r not in noisy and isinstance(r.coding, RandomizedSmoothing)]
    assert [recipe.coding for recipe in noisy] == [recipe.coding for recipe in smoothed]
    assert {recipe.num_steps for recipe in noisy} == {1}
    assert [recipe.num_steps for recipe in found if recipe.coding == Poisson()] == [4, 8]


def test_the_protocol_changes_one_choice_of_the_papers_attack_at_a_time() -> None:
    (paper,) = [
        entry for entry in rs.attacks.paper(8 / 255).entries if isinstance(entry.attack, rs.attacks.PGD)
    ]
    first, *others = protocol.ENTRIES
    assert (first.attack, first.gradient) == (paper.attack, paper.gradient)
    changed = [(entry.attack != first.attack, entry.gradient != first.gradient) for entry in others]
    assert changed == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
        (False, True),
        *2 * [(True, True)],
    ]


def test_an_arm_that_comes_to_the_same_is_the_same_network() -> None:
    plain = network_for(SMALL, BASE, Arm("RSC-0.1", "rsc0.1"), 0)
    for settings in (("num_steps=4",), ("neuron.surrogate={kind: Triangle, width: 1.0}",)):
        assert network_for(SMALL, BASE, Arm("another label", "rsc0.1", settings), 0) == plain
    assert network_for(SMALL, BASE, Arm("RSC-0.1", "rsc0.1", ("num_steps=8",)), 0) != plain


def test_what_an_experiment_varies_is_no_reduction() -> None:
    def told(*settings: str) -> tuple[str, ...]:
        network: Network = network_for(SMALL, BASE, Arm("RSC-0.1", "rsc0.1", settings), 0)
        return reductions(network, settings)

    common = ("1 of 100 epochs", "batch 32 for 64", "rate 0.05 for 0.1")
    narrow = ("hidden width 1024 for 4096", "width divided by 4")
    assert told() == (*common, "T=4 for 8", *narrow)
    assert told("num_steps=2") == told("num_steps=16") == (*common, *narrow)


def test_the_small_budget_has_the_hidden_neurons_that_it_says() -> None:
    recipe = network_for(SMALL, BASE, as_arm("RSC-0.1"), 0).recipe
    network = recipe.classifier().blueprint.build()
    widths = [tuple(weight.shape) for name, weight in network.named_parameters() if "readout" in name]
    assert widths[0] == (10, 1024 // 4)


def test_rows_can_be_chosen_by_the_label_of_an_arm(tmp_path: str) -> None:
    wanted = Filter(methods=("E-RSCT lambda 1",))
    assert [
        asked.line.method for asked in table_functions()["parts"](CONTEXT) if wanted.wants(asked.line)
    ] == ["E-RSCT lambda 1"]
    with pytest.raises(ValueError, match=r"unknown row 'E-RSCT lambda 2'; did you mean"):
        ask(["parts"], CONTEXT, Filter(methods=("E-RSCT lambda 2",)), None)


def test_no_label_has_a_comma_since_rows_are_separated_by_them() -> None:
    lines = [asked.line for function in question_functions().values() for asked in function(CONTEXT)]
    assert not [line.method for line in lines if "," in line.method]
    assert len({(line.place, line.method, *line.conditions.items()) for line in lines}) == len(lines)
    assert all("," not in label for label in METHODS)
