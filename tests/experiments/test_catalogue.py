"""Recipes by name, function and file."""

from dataclasses import replace
from pathlib import Path

import pytest

import rsc_snn as rs
from rsc_snn.codings import Direct, Poisson, RandomizedSmoothing
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.experiments.catalogue import by_name, resolve
from rsc_snn.neurons import LIF, ReLU
from rsc_snn.objectives import AbstractObjective, Adversarial, Consistency, CrossEntropy, SmoothAdv
from rsc_snn.training import Recipe


@pytest.mark.parametrize(
    ("method", "coding"),
    [
        ("direct", Direct()),
        ("poisson", Poisson()),
        ("rsc", RandomizedSmoothing(variance=0.1)),
        ("rsc0.1", RandomizedSmoothing(variance=0.1)),
        ("rsc0.01", RandomizedSmoothing(variance=0.01)),
        ("rsc1e-4", RandomizedSmoothing(variance=1e-4)),
        ("rsc2-0.1", RandomizedSmoothing(variance=0.1, resample_each_step=True)),
        ("rsc2-0.25", RandomizedSmoothing(variance=0.25, resample_each_step=True)),
        ("rsc2", RandomizedSmoothing(variance=0.1, resample_each_step=True)),
        ("ann", Direct()),
    ],
)
def test_methods_choose_the_coding(method: str, coding: object) -> None:
    recipe = by_name(f"cifar10-vgg5-{method}")
    assert recipe.coding == coding
    assert recipe.name == f"cifar10-vgg5-{method}"
    assert recipe.neuron == (ReLU() if method == "ann" else LIF())
    assert recipe.num_steps == (1 if method == "ann" else 8)
    assert recipe.network == rs.networks.VGG5(hidden_width=4096)


def test_the_digits_recipe_is_the_one_of_the_design() -> None:
    recipe = by_name("digits-vgg5-rsc")
    assert recipe.network == rs.networks.VGG5(hidden_width=256)
    assert recipe.num_steps == 4


def test_names_with_a_hyphen_in_the_data_set_are_read() -> None:
    assert by_name("tiny-imagenet-vgg16-rsc0.1").data == rs.data.TinyImageNet()
    assert by_name("fashion-mnist-vgg5-rsc2-0.1").data == rs.data.FashionMnist()
    assert by_name("imagenet-sewresnet18-direct-adv").name == "imagenet-sewresnet18-direct-adv"


@pytest.mark.parametrize(
    "method",
    [
        "rat-adv",
        "adversarial",
        "rsc0.1-adv-adv",
        "-adv",
        "adv",
        "cons",
        "-cons",
        "consistent",
        "rsc0.1-cons-cons",
        "rsc0.1-adv-cons",
        "rsc0.1-adv-smoothadv",
        "rat-smoothadv",
    ],
)
def test_combinations_that_mean_nothing_are_unknown(method: str) -> None:
    with pytest.raises(UnknownNameError):
        by_name(f"digits-vgg5-{method}")


@pytest.mark.parametrize(
    ("suffix", "objective"),
    [
        ("", CrossEntropy()),
        ("-adv", Adversarial()),
        ("-cons", Consistency()),
        ("-smoothadv", SmoothAdv()),
        ("-cons-adv", Adversarial(objective=Consistency())),
        ("-cons-smoothadv", SmoothAdv(objective=Consistency())),
    ],
)
def test_suffixes_choose_the_objective(suffix: str, objective: AbstractObjective) -> None:
    plain = by_name("digits-vgg5-rsc0.25")
    found = by_name(f"digits-vgg5-rsc0.25{suffix}")
    assert found == replace(plain, objective=objective, name=f"digits-vgg5-rsc0.25{suffix}")


def test_suffixes_go_around_the_objective_of_the_method() -> None:
    inner = by_name("digits-vgg5-ersct").objective
    assert by_name("digits-vgg5-ersct-cons").objective == Consistency(objective=inner)
    both = SmoothAdv(objective=Consistency(objective=inner))
    assert by_name("digits-vgg5-ersct-cons-smoothadv").objective == both


@pytest.mark.parametrize("method", ["direct", "ann", "rat", "rsc0"])
def test_regularisers_of_noise_need_noise(method: str) -> None:
    with pytest.raises(InputError, match=f"digits-vgg5-{method}-cons: -cons needs a coding with noise"):
        by_name(f"digits-vgg5-{method}-cons")
    assert by_name("digits-vgg5-poisson-cons").objective == Consistency()


def test_smoothadv_needs_noise() -> None:
    with pytest.raises(InputError, match="-smoothadv needs a coding with noise; use poisson, rsc"):
        by_name("digits-vgg5-direct-smoothadv")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("cifar10-vgg5-rsc.1", "cifar10-vgg5-rsc"),
        ("cifr10-vgg5-direct", "cifar10-vgg5-direct"),
        ("digits-vgg5-pois", "digits-vgg5-poisson"),
        ("digits-vgg5-rsc-0.1x", "digits-vgg5-rsc"),
        ("digits-vgg5", "digits-vgg5"),
        ("digits-vgg5-rsc25x", "digits-vgg5-rsc"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=f"unknown recipe '{name}'; did you mean '{nearest}"):
        by_name(name)


def my_recipe() -> Recipe:
    return replace(by_name("digits-vgg5-direct"), name="mine")


def not_a_recipe() -> int:
    return 3


def test_a_function_of_a_users_module_is_a_recipe() -> None:
    assert resolve("tests.experiments.test_catalogue:my_recipe")[0].name == "mine"
    with pytest.raises(InputError, match="must return a Recipe, got int"):
        resolve("tests.experiments.test_catalogue:not_a_recipe")
    with pytest.raises(InputError, match="cannot import"):
        resolve("tests.experiments.test_catalogue:nothing")
    with pytest.raises(InputError, match="expected module:name"):
        resolve("os; rm:x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file .*run\.yaml"):
        resolve(str(tmp_path / "run.yaml"))
    (tmp_path / "other.yaml").write_text("a: 1")
    with pytest.raises(InputError, match=r"expected a file called run\.yaml"):
        resolve(str(tmp_path / "other.yaml"))
