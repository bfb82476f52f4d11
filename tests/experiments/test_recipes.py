"""Every listed recipe: built at full size, written down and read back, and two steps in small."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
import yaml

from rsc_snn.classifier import SpikingClassifier
from rsc_snn.data import ImageSet
from rsc_snn.experiments.catalogue import by_name, names
from rsc_snn.networks import VGG5, SEWResNet18
from rsc_snn.objectives.teachers import teachers_of
from rsc_snn.processes import Group
from rsc_snn.rng import derived_generator
from rsc_snn.spec import from_data, to_data, with_setting
from rsc_snn.training import Recipe, TrainedTeacher
from rsc_snn.training.step import Stepper
from rsc_snn.training.teacher import ready

PAPER = {
    "cifar10-vgg5": (3, 32, 32, 10),
    "cifar100-vgg11": (3, 32, 32, 100),
    "tiny-imagenet-vgg16": (3, 64, 64, 200),
    "imagenet-resnet19": (3, 224, 224, 1000),
    "imagenet-sewresnet18": (3, 224, 224, 1000),
}


def in_small(recipe: Recipe) -> Recipe:
    """An eighth of the width, T=2 (the twin keeps T=1), batch 2, float32 on the CPU."""
    network = with_setting(recipe.network, "width_divisor", "8")
    training = replace(recipe.training, batch_size=2, precision="float32", weight_decay=0.0)
    return replace(recipe, network=network, num_steps=min(2, recipe.num_steps), training=training)


def built(recipe: Recipe) -> SpikingClassifier:
    return recipe.classifier().build(derived_generator(0, "init"))


@pytest.mark.parametrize("name", names())
def test_a_recipe_reads_back_from_yaml_as_an_equal_object(name: str) -> None:
    recipe = by_name(name)
    assert from_data(yaml.safe_load(yaml.safe_dump(to_data(recipe))), Recipe) == recipe


@pytest.mark.parametrize("name", [f"{base}-{method}" for base in PAPER for method in ("rsc0.1", "ann")])
def test_the_papers_networks_are_built_at_full_size_without_memory(name: str) -> None:
    recipe = by_name(name)
    *shape, num_classes = PAPER[name.rpartition("-")[0]]
    with torch.device("meta"):
        network = recipe.classifier().blueprint.build()
        current = torch.empty(recipe.num_steps, 2, *shape)
    assert network(current).shape == (recipe.num_steps, 2, num_classes)
    assert all(parameter.is_meta for parameter in network.parameters())


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        # convolutions without bias, two numbers for each normalised channel, linear layers with biases
        ("cifar10-vgg5", 9 * (3 * 64 + 64 * 128 + 128 * 128) + 640 + 8193 * 4096 + 4097 * 4096 + 4097 * 10),
        ("imagenet-sewresnet18", 11_689_512),  # torchvision's ResNet-18
    ],
)
def test_parameters_at_full_size(base: str, expected: int) -> None:
    with torch.device("meta"):
        network = by_name(f"{base}-direct").classifier().blueprint.build()
    assert sum(p.numel() for p in network.parameters()) == expected


def test_every_recipe_of_one_base_has_the_network_that_was_built() -> None:
    """So the builds above stand for every listed recipe."""
    for base, (*shape, num_classes) in PAPER.items():
        reference = by_name(f"{base}-direct")
        for name in (name for name in names() if name.startswith(f"{base}-")):
            recipe = by_name(name)
            assert recipe.network == reference.network
            assert recipe.data.image_shape == tuple(shape)
            assert recipe.data.num_classes == num_classes


@pytest.mark.parametrize("name", names())
def test_two_steps_in_small(name: str) -> None:
    """A finite loss; without weight decay, nearly every tensor of weights has moved by its gradient."""
    recipe = in_small(by_name(name))
    classifier = built(recipe)
    device, dtype = torch.device("cpu"), torch.float32
    teach = lambda teacher: built(in_small(teacher)).eval()  # noqa: E731
    objective = ready(recipe.objective, device, dtype, train_teacher=teach)
    stepper = Stepper(classifier, objective, recipe.training, seed=0, group=Group())
    before = {name: p.detach().clone() for name, p in classifier.named_parameters()}
    for step in range(2):
        generator = derived_generator(step, "images")
        shape = (2, *recipe.data.image_shape)
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        batch = ImageSet.of(images, torch.tensor([0, 1]), tuple("01"))
        result = stepper.update([batch], epoch=0, step=step, rate=0.01)
        assert bool(result.isfinite().all())
    moved = [not torch.equal(p, before[name]) for name, p in classifier.named_parameters()]
    assert sum(moved) > 0.9 * len(moved)


def test_both_readings_of_the_noise_levels_are_listed_and_share_their_runs() -> None:
    """As variances 0.01, 0.1, 0.5; as deviations 0.01, 0.1, 0.5: variance 0.01 is one run in both."""
    variances = {0.01, 0.1, 0.5} | {level**2 for level in (0.01, 0.1, 0.5)}
    listed = {
        by_name(name).coding.variance  # type: ignore[attr-defined]
        for name in names()
        if name.startswith("cifar10-vgg5-rsc0") and not name.endswith("-adv")
    }
    assert sorted(listed) == pytest.approx(sorted({round(variance, 6) for variance in variances}))
    assert len(listed) == 5


def test_specs_that_are_equal_have_one_name() -> None:
    recipes = [replace(by_name(name), name="same") for name in names()]
    assert max(Counter(map(repr, recipes)).values()) == 1


def test_the_teacher_of_ersct_is_the_clean_twin() -> None:
    for name in (
        "cifar10-vgg5-ersct",
        "cifar10-vgg5-ersct-adv",
        "cifar10-vgg5-ersct-cons",
        "cifar100-vgg11-ersct0.01",
    ):
        (teacher,) = teachers_of(by_name(name).objective)
        assert isinstance(teacher, TrainedTeacher)
        base = "-".join(name.split("-")[:2])
        assert teacher.recipe == by_name(f"{base}-ann")


def test_the_paper_s_settings() -> None:
    recipe = by_name("cifar10-vgg5-ersct")
    assert to_data(recipe.objective)["kd_weight"] == 0.1
    assert to_data(recipe.objective)["temperature"] == 1.0
    adversarial = to_data(by_name("cifar10-vgg5-rsc0.1-adv").objective)
    assert adversarial["attack"]["kind"] == "FGSM"
    assert adversarial["attack"]["eps"] == pytest.approx(2 / 255)
    assert isinstance(by_name("imagenet-sewresnet18-rsc0.1").network, SEWResNet18)
    assert by_name("cifar10-vgg5-rsc0.1").network == VGG5()
