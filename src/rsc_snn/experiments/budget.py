"""Budgets: how much of the paper's experiments a reproduction spends, the same for every table."""

from dataclasses import dataclass

from rsc_snn.attacks import FULL, QUICK
from rsc_snn.errors import UnknownNameError
from rsc_snn.networks.vgg import AbstractVGG
from rsc_snn.spec import Spec
from rsc_snn.training import Recipe


@dataclass(frozen=True, kw_only=True)
class Budget(Spec):
    """Sizes that all cells share.

    Args:
        name: "smoke", "small", "short" or "paper".
        words: What it means, in a line.
        stand_in: Base recipe that stands for every data set and network; None takes the paper's.
        settings: ``--set`` words for every recipe that has these fields.
        num_steps: T of spiking networks, at most; None is the recipe's.
        hidden_width: Of VGG networks before the divisor, at most; None is the recipe's.
        divisors: Base recipe and the divisor of all its widths.
        num_images: Test images of the paper's protocol; None is all.
        num_draws: Scoring draws, and held-out draws, of the paper's protocol.
        batch_size: Images attacked together.
        rows_per_pass: (image, draw) pairs of a gradient's pass; None is as many as memory holds.
        reliable: Budget of the reliable protocol.
        num_reliable: Its test images.
        num_eot: Test images of attacks over many draws or steps.
        audit: Budget of the audit.
        num_audited: Its test images.
        num_certified: Test images that are certified.
        num_samples: Draws that certify one.
        compiled: Whether kernels are compiled where nothing else is asked for: "auto", "on" or "off".
    """

    name: str
    words: str
    stand_in: str | None = None
    settings: tuple[str, ...] = ()
    num_steps: int | None = None
    hidden_width: int | None = None
    divisors: tuple[tuple[str, int], ...] = ()
    num_images: int | None = None
    num_draws: int = 20
    batch_size: int = 64
    rows_per_pass: int | None = None
    reliable: str = FULL
    num_reliable: int = 500
    num_eot: int = 1000
    audit: str = FULL
    num_audited: int = 100
    num_certified: int = 500
    num_samples: int = 100_000
    compiled: str = "auto"

    def settings_for(self, base: str, recipe: Recipe) -> tuple[str, ...]:
        """Return the ``--set`` words that cut a recipe down to this budget; none where it fits.

        Args:
            base: DATASET-NETWORK of the recipe.
            recipe: The full one.
        """
        words = list(self.settings)
        if self.num_steps is not None and recipe.num_steps > self.num_steps:
            words.append(f"num_steps={self.num_steps}")
        network = recipe.network
        width = network.hidden_width if isinstance(network, AbstractVGG) else 0
        if self.hidden_width is not None and width > self.hidden_width:
            words.append(f"network.hidden_width={self.hidden_width}")
        if divisor := dict(self.divisors).get(base):
            words.append(f"network.width_divisor={divisor}")
        return tuple(words)


SMOKE = Budget(
    name="smoke",
    words="every network is replaced by one small network on 8x8 digits: it shows that everything works, and "
    "says nothing about the paper",
    stand_in="digits-vgg5",
    settings=("training.epochs=5",),
    num_images=100,
    num_draws=5,
    batch_size=100,
    rows_per_pass=256,
    reliable=QUICK,
    num_reliable=12,
    num_eot=30,
    audit=QUICK,
    num_audited=20,
    num_certified=32,
    num_samples=1000,
    compiled="off",
)
SHORT = Budget(
    name="short",
    words="the paper's data with few images, epochs and time steps, and narrower networks: an evening on a "
    "CPU, minutes on a GPU",
    settings=(
        "training.warmup_epochs=0.2",
        "training.epochs=3",
        "training.num_images=11000",
        "training.num_validation=1000",
        "training.batch_size=32",  # more updates in so few epochs
        "training.learning_rate=0.05",
    ),
    num_steps=4,
    hidden_width=1024,
    divisors=(
        ("cifar100-vgg11", 2),
        ("cifar10-vgg11", 2),
        ("tiny-imagenet-vgg16", 4),
        ("imagenet-resnet19", 4),
        ("imagenet-sewresnet18", 4),
    ),
    num_images=500,
    num_draws=10,
    rows_per_pass=320,
    reliable=QUICK,
    num_reliable=32,
    num_eot=64,
    audit=QUICK,
    num_audited=32,
    num_certified=32,
    num_samples=1000,
)
SMALL = Budget(
    name="small",
    words="all training images once, a quarter of the channels and few time steps: many networks on a CPU, "
    "for comparisons among them",
    settings=(
        "training.warmup_epochs=0.1",
        "training.epochs=1",
        "training.num_validation=1000",
        "training.batch_size=32",
        "training.learning_rate=0.05",
    ),
    num_steps=4,
    hidden_width=1024,  # before the divisor
    divisors=(
        ("cifar10-vgg5", 4),
        ("cifar10-vgg11", 8),
        ("cifar100-vgg11", 8),
        ("tiny-imagenet-vgg16", 8),
        ("imagenet-resnet19", 8),
        ("imagenet-sewresnet18", 8),
    ),
    num_images=300,
    num_draws=10,
    rows_per_pass=320,
    reliable=QUICK,
    num_reliable=100,
    num_eot=100,
    audit=QUICK,
    num_audited=32,
    num_certified=100,
    num_samples=1000,
)
PAPER = Budget(
    name="paper",
    words="the full recipes and all test images; the reliable protocol in full and certificates on 500, "
    "attacks of many draws or steps on 1,000, the audit on 100",
)
_BUDGETS = {budget.name: budget for budget in (SMOKE, SMALL, SHORT, PAPER)}


def budget_called(name: str) -> Budget:
    """Return the budget called "smoke", "small", "short" or "paper"."""
    if name not in _BUDGETS:
        raise UnknownNameError("budget", name, _BUDGETS)
    return _BUDGETS[name]
