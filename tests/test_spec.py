"""Specs: equal after a round trip through YAML, strict about what they are given."""

import pytest
import yaml

import rsc_snn as rs
from rsc_snn.codings import AbstractCoding
from rsc_snn.errors import InputError, UnknownNameError
from rsc_snn.experiments.catalogue import by_name, names
from rsc_snn.spec import Spec, from_data, parse_number, to_data, with_setting
from rsc_snn.training import Recipe, Training


def round_trip(spec: Spec) -> Spec:
    return from_data(yaml.safe_load(yaml.safe_dump(to_data(spec))), type(spec))


@pytest.mark.parametrize("name", names())
def test_every_recipe_survives_yaml(name: str) -> None:
    recipe = by_name(name)
    assert round_trip(recipe) == recipe
    assert round_trip(recipe.classifier()) == recipe.classifier()


def test_attacks_survive_yaml() -> None:
    for spec in (rs.attacks.paper(eps=4 / 255), rs.attacks.PGD(eps=0.5, norm=rs.attacks.L2())):
        assert round_trip(spec) == spec


def test_settings_are_typed_and_reach_every_depth() -> None:
    recipe = by_name("cifar10-vgg5-rsc0.1")
    for path, text, expected in [
        ("training.epochs", "3", 3),
        ("training.learning_rate", "1e-3", 0.001),
        ("training.num_images", "null", None),
        ("training.augment", "false", False),
        ("network.hidden_width", "1024", 1024),
        ("neuron.surrogate", "Rectangle", rs.neurons.Rectangle()),
        ("neuron.surrogate", "{kind: Arctan, alpha: 3}", rs.neurons.Arctan(alpha=3.0)),
        ("neuron.surrogate.width", "1/2", 0.5),
        (
            "coding",
            "{kind: RandomizedSmoothing, variance: 0.5}",
            rs.codings.RandomizedSmoothing(variance=0.5),
        ),
    ]:
        found: object = with_setting(recipe, path, text)
        for name in path.split("."):
            found = getattr(found, name)
        assert found == expected
        assert type(found) is type(expected)
    assert recipe == by_name("cifar10-vgg5-rsc0.1"), "the recipe itself never changes"


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("training.epoch", "3", "unknown field of Training 'epoch'; did you mean 'epochs'"),
        ("traning.epochs", "3", "unknown field of Recipe 'traning'; did you mean 'training'"),
        ("training.epochs", "three", "training.epochs expects int, got 'three'|epochs expects int"),
        ("training.epochs", "2.5", "expects int, got 2.5"),
        ("training.epochs", "true", "expects int, got True"),
        ("training.augment", "1", "expects bool, got 1"),
        ("training.learning_rate", "fast", "expects a number such as 0.03 or 8/255"),
        ("training.epochs", "0", "epochs must be >= 1, got 0"),
        ("coding", "Poison", "unknown kind in coding 'Poison'; did you mean 'Poisson'"),
        ("coding", "LIF", "unknown kind in coding"),
        ("coding", "AbstractCoding", "unknown kind in coding"),
        ("name.first", "x", "has no fields"),
        ("training", "[1, 2", "expects a YAML value"),
        ("coding", "{kind: RandomizedSmoothing, std: 0.1}", "unknown key in coding"),
    ],
)
def test_bad_settings_name_the_place_and_the_nearest_key(path: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_setting(by_name("cifar10-vgg5-rsc0.1"), path, text)


def test_an_unknown_or_missing_key_in_a_file_is_an_error() -> None:
    data = to_data(by_name("digits-vgg5-direct"))
    data["training"]["epocs"] = 3
    with pytest.raises(
        UnknownNameError, match=r"unknown key in run.training \(Training\) 'epocs'; did you mean 'epochs'"
    ):
        from_data(data, Recipe, where="run")
    del data["training"]["epocs"], data["coding"]
    with pytest.raises(InputError, match=r"run \(Recipe\) lacks coding"):
        from_data(data, Recipe, where="run")
    with pytest.raises(InputError, match="expects a Recipe, got 3"):
        from_data(3, Recipe, where="run")


def test_components_of_a_users_module_are_found() -> None:
    """A kind outside the package is written with its module, and imported when it is read."""
    data = {"kind": "tests.user_component:Halved"}
    coding = from_data(data, AbstractCoding)
    assert to_data(coding) == data
    with pytest.raises(InputError, match="cannot import"):
        from_data({"kind": "tests.user_component:Missing"}, AbstractCoding)


def test_numbers_are_read_as_people_write_them() -> None:
    assert parse_number("8/255", where="eps") == 8 / 255
    assert parse_number("1e-3", where="eps") == 0.001
    assert parse_number(2, where="eps") == 2.0
    for bad in ("8/0", "eight", True, None, "1/2/3"):
        with pytest.raises(InputError, match="eps expects a number"):
            parse_number(bad, where="eps")


def test_fields_are_keyword_only_and_frozen() -> None:
    with pytest.raises(TypeError):
        Training(3)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        rs.codings.RandomizedSmoothing().variance = 0.5  # type: ignore[misc]
