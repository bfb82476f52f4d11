"""The sampled covariance and its standard error against other ways to the same numbers."""

import numpy as np
import pytest
import torch
from torch import Tensor

from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.theory import covariance
from rsc_snn.theory.comparison import THRESHOLD, chance_of_any, compare
from rsc_snn.theory.covariance import Layer, PowerSums, Sampled, sample_outputs
from rsc_snn.theory.layers import identity_layer, random_layer
from rsc_snn.theory.noises import PoissonNoise, SmoothingNoise
from tests.helpers import seeded


def summed(samples: Tensor, *, origin: float = 0.0, chunk: int = 1000) -> Sampled:
    sums = PowerSums(torch.full((samples.shape[1],), origin, dtype=torch.float64))
    for part in samples.split(chunk):
        sums.add(part)
    return sums.sampled()


def skewed(num_samples: int, size: int = 4) -> Tensor:
    """Mixed exponential numbers: correlated, with heavy tails."""
    numbers = -torch.rand(num_samples, size, generator=seeded(0), dtype=torch.float64).clamp(min=1e-12).log()
    return numbers @ (torch.eye(size, dtype=torch.float64) + 0.5)


@pytest.mark.parametrize("origin", [0.0, 3.0])
def test_covariance_is_that_of_numpy_and_errors_are_fourth_moments(origin: float) -> None:
    samples = skewed(3000)
    found, n = summed(samples, origin=origin, chunk=700), 3000
    y = samples.numpy() - samples.numpy().mean(0)
    np.testing.assert_allclose(found.covariance, np.cov(samples.numpy().T), rtol=1e-10)
    np.testing.assert_allclose(found.mean, samples.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.mean_error, samples.numpy().std(0, ddof=1) / n**0.5, rtol=1e-10)
    for i in range(4):
        for j in range(4):
            biased = (y[:, i] * y[:, j]).mean()
            leading = ((y[:, i] * y[:, j] - biased) ** 2).mean() / n
            assert float(found.error[i, j]) == pytest.approx(leading**0.5, rel=1e-3)


def test_errors_of_normal_samples_have_the_known_closed_form() -> None:
    """Var(s_ij) = (s_ii s_jj + s_ij^2) / (N - 1) for normal samples."""
    mix = torch.tensor([[1.0, 0.0, 0.0], [0.7, 0.5, 0.0], [-0.3, 0.2, 2.0]], dtype=torch.float64)
    n = 200_000
    found = summed(torch.randn(n, 3, generator=seeded(1), dtype=torch.float64) @ mix.T, chunk=n)
    truth = mix @ mix.T
    spread = torch.outer(truth.diagonal(), truth.diagonal()) + truth**2
    torch.testing.assert_close(found.error, (spread / (n - 1)).sqrt(), rtol=0.03, atol=0)


def test_errors_are_the_spread_of_repeated_samples() -> None:
    """Of 600 repeats the spread itself has a standard error of about 3 %."""
    weight = torch.tensor([[1.0, -2.0, 0.5], [0.3, 1.0, 1.0]], dtype=torch.float64)
    chance = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    repeats = []
    for seed in range(600):
        spikes = (torch.rand(400, 3, generator=seeded(seed), dtype=torch.float64) < chance).double()
        repeats.append(summed(spikes @ weight.T))
    found = torch.stack([each.covariance for each in repeats]).std(0)
    claimed = torch.stack([each.error for each in repeats]).square().mean(0).sqrt()
    torch.testing.assert_close(claimed, found, rtol=0.12, atol=0)


def test_a_fair_coin_stays_within_five_errors() -> None:
    """Its fourth moment is that of a constant: what is left is of the order of 1 / N, and so is the error."""
    for seed in range(200):
        coin = torch.randint(2, (2000, 1), generator=seeded(seed)).double()
        found = summed(coin)
        truth = torch.tensor([[0.25]], dtype=torch.float64)
        assert compare(found.covariance, truth, found.error).is_met
    assert not compare(found.covariance, truth * 1.1, found.error).is_met


def test_samples_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, patch = random_layer(4, (3, 2, 2), seed=0), torch.rand(3, 2, 2, generator=seeded(0)).double()

    def sampled() -> Sampled:
        return sample_outputs(
            PoissonNoise(), layer, patch, num_steps=2, num_samples=1500, seed=3, purpose="a"
        )

    whole = sampled()
    monkeypatch.setattr(covariance, "_NUMBERS_AT_ONCE", 24 * 64)
    torch.testing.assert_close(sampled().covariance, whole.covariance, rtol=1e-12, atol=1e-14)


def test_seeds_purposes_and_steps_have_numbers_of_their_own() -> None:
    layer, patch = identity_layer((1, 2, 2)), torch.full((1, 2, 2), 0.4, dtype=torch.float64)

    def mean(seed: int, purpose: str) -> Tensor:
        noise = SmoothingNoise(variance=0.1)
        return sample_outputs(noise, layer, patch, num_samples=1000, seed=seed, purpose=purpose).mean

    assert torch.equal(mean(0, "a"), mean(0, "a"))
    assert not torch.equal(mean(0, "a"), mean(1, "a"))
    assert not torch.equal(mean(0, "a"), mean(0, "b"))


def test_the_farthest_entry_is_found() -> None:
    truth = torch.zeros(3, 3, dtype=torch.float64)
    found, error = truth.clone(), torch.ones(3, 3, dtype=torch.float64)
    found[1, 2] = found[2, 1] = -6.0
    found[0, 0] = 2.0
    result = compare(found, truth, error)
    assert (result.largest, result.place, result.found, result.num_entries) == (6.0, (1, 2), -6.0, 6)
    assert not result.is_met
    assert compare(found, truth, 2 * error).is_met


def test_a_difference_without_an_error_counts_as_large_and_rounding_as_none() -> None:
    one, none = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    assert compare(one, one * 1.001, none).largest > 1000 * THRESHOLD
    assert compare(one, one * (1 + 1e-13), none).largest == 0
    assert compare(none, none, none).largest == 0


def test_the_chance_of_any_miss_by_hand() -> None:
    """2 (1 - Phi(5)) = 5.733e-7 for one entry; for many at most the sum."""
    assert chance_of_any(1) == pytest.approx(5.7330e-7, rel=1e-4)
    assert chance_of_any(1000) == pytest.approx(5.7330e-4, rel=1e-4)


def test_bad_input_is_one_line() -> None:
    layer = identity_layer((1, 2, 2))
    with pytest.raises(ShapeError, match=r"patches \[1, 2, 2\], got \[1, 3, 2\]"):
        sample_outputs(PoissonNoise(), layer, torch.zeros(1, 3, 2), num_samples=1000, seed=0, purpose="a")
    with pytest.raises(RangeError, match="--samples must be at least 1000, got 10"):
        sample_outputs(PoissonNoise(), layer, torch.zeros(1, 2, 2), num_samples=10, seed=0, purpose="a")
    with pytest.raises(RangeError, match="at least 2 samples"):
        PowerSums(torch.zeros(2, dtype=torch.float64)).sampled()
    with pytest.raises(ShapeError, match="weight must be"):
        Layer("wrong", torch.zeros(2, 3).double(), torch.zeros(2).double(), (1, 2, 2))
