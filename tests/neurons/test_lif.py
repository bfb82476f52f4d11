"""LIF against hand-computed traces, a written-out loop, and SpikingJelly."""

import pytest
import torch
from torch import Tensor

from rsc_snn.errors import RangeError, ShapeError
from rsc_snn.neurons import LIF, AbstractSurrogate, Arctan, Rectangle, ReLU, Sigmoid, Triangle
from tests.helpers import seeded


@pytest.mark.parametrize(
    ("decay", "threshold", "current", "expected"),
    [
        # membranes 0.6, 0.9, 1.05 -> fires, 0 + 0.6
        (0.5, 1.0, [0.6, 0.6, 0.6, 0.6], [0, 0, 1, 0]),
        # membranes 0.5, 1.0 -> fires exactly at the threshold, 0.5, 1.0 -> fires
        (1.0, 1.0, [0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]),
        # membranes 2 -> fires and forgets the excess, 0.4, 0.7 + 0.4 * 0.25 = 0.8, 0.8 * 0.25 + 0.8 = 1.0
        (0.25, 1.0, [2.0, 0.4, 0.7, 0.8], [1, 0, 0, 1]),
        # a negative current lowers the membrane: -1, -0.9 + 1.8 = 0.9, 0.81 + 0.1 = 0.91
        (0.9, 1.0, [-1.0, 1.8, 0.1, 0.0], [0, 0, 0, 0]),
        # threshold 0.25: 0.25 -> fires, 0.125, 0.0625 + 0.125 = 0.1875, 0.09375 + 0.25 -> fires
        (0.5, 0.25, [0.25, 0.125, 0.125, 0.25], [1, 0, 0, 1]),
    ],
)
def test_spikes_follow_the_hand_computed_trace(
    decay: float, threshold: float, current: list[float], expected: list[int]
) -> None:
    neuron = LIF(decay=decay, threshold=threshold)
    spikes = neuron.over_time(torch.tensor(current, dtype=torch.float64)[:, None])
    assert spikes[:, 0].tolist() == expected


@pytest.mark.parametrize("detach_reset", [False, True])
def test_gradient_follows_the_hand_computed_chain(detach_reset: bool) -> None:
    """Two steps, triangle of width 1: u1 = 0.8, u2 = 0.5 * 0.8 * (1 - s1) + 0.7 = 1.1.

    g(u) = 1 - |u - 1| gives g1 = 0.8, g2 = 0.9. With a loss s1 + s2:
    d/dI2 = g2; d/dI1 = g1 + g2 * 0.5 * ((1 - s1) - u1 * g1), the last term only if the reset counts.
    """
    current = torch.tensor([0.8, 0.7], dtype=torch.float64, requires_grad=True)
    spikes = LIF(detach_reset=detach_reset).over_time(current)
    assert spikes.tolist() == [0, 1]
    (gradient,) = torch.autograd.grad(spikes.sum(), current)
    through_reset = 0.0 if detach_reset else 0.8 * 0.8
    assert gradient.tolist() == pytest.approx([0.8 + 0.9 * 0.5 * (1 - through_reset), 0.9])


class _WrittenOut(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u: Tensor, kind: AbstractSurrogate) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(u)
        ctx.kind = kind
        return (u >= 0).double()

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (u,) = ctx.saved_tensors
        s = 1 / (1 + torch.exp(-4.0 * u))
        formulas: dict[type[AbstractSurrogate], Tensor] = {
            Triangle: torch.where(u.abs() < 1, 1 - u.abs(), 0.0),
            Rectangle: torch.where(u.abs() < 0.5, 1.0, 0.0).double(),
            Arctan: 1 / (1 + (torch.pi * u) ** 2),
            Sigmoid: 4 * s * (1 - s),
        }
        return grad * formulas[type(ctx.kind)], None


@pytest.mark.parametrize("surrogate", [Triangle(), Rectangle(), Arctan(), Sigmoid()], ids=repr)
@pytest.mark.parametrize("detach_reset", [False, True])
@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_gradients_equal_a_written_out_loop(
    surrogate: AbstractSurrogate, detach_reset: bool, decay: float
) -> None:
    current = torch.randn(6, 50, generator=seeded(0), dtype=torch.float64).requires_grad_()
    neuron = LIF(decay=decay, threshold=0.8, surrogate=surrogate, detach_reset=detach_reset)
    weight = torch.randn(6, 50, generator=seeded(1), dtype=torch.float64)
    spikes = neuron.over_time(current)
    (gradient,) = torch.autograd.grad((spikes * weight).sum(), current)

    h, total = torch.zeros(50, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for t in range(6):
        u = h + current[t]
        s = _WrittenOut.apply(u - 0.8, surrogate)  # type: ignore[no-untyped-call]
        assert torch.equal(s, spikes[t])
        h = decay * u * (1 - (s.detach() if detach_reset else s))
        total = total + (s * weight[t]).sum()
    (expected,) = torch.autograd.grad(total, current)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("decay", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spikes_equal_spikingjelly(decay: float, dtype: torch.dtype) -> None:
    neuron = pytest.importorskip("spikingjelly.activation_based.neuron")
    current = torch.randn(8, 64, 32, 32, generator=seeded(0), dtype=dtype)
    node = neuron.LIFNode(tau=1 / (1 - decay), decay_input=False, v_reset=0.0, step_mode="m")
    theirs = node(current)
    ours = LIF(decay=decay).over_time(current)
    assert 0.05 < float(ours.mean()) < 0.5
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("dtype", "increment"), [(torch.bfloat16, 2.0**-9), (torch.float16, 2.0**-12)], ids=str
)
def test_small_currents_add_up_in_half_precision(dtype: torch.dtype, increment: float) -> None:
    """From 0.5 on, an increment is half the distance to the next 16-bit number, and rounds back to 0.5.

    Kept in float32 the membrane reaches the threshold of 0.5 + 8 increments at the ninth step.
    """
    assert float(torch.tensor(0.5, dtype=dtype) + increment) == 0.5
    current = torch.tensor([0.5] + 10 * [increment], dtype=dtype)
    spikes = LIF(decay=1.0, threshold=0.5 + 8 * increment).over_time(current)
    assert spikes.dtype == dtype
    assert spikes.tolist() == [0] * 8 + [1, 0, 0]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("decay", [0.5, 0.9])
def test_half_precision_equals_float32(dtype: torch.dtype, decay: float) -> None:
    """Spikes are exact in 16 bits; the gradient is that of float32, rounded once."""
    current = torch.randn(8, 500, generator=seeded(0)).to(dtype)
    weight = torch.randn(8, 500, generator=seeded(1)).to(dtype)
    results = []
    for leaf in (current.clone().requires_grad_(), current.float().requires_grad_()):
        spikes = LIF(decay=decay).over_time(leaf)
        (gradient,) = torch.autograd.grad((spikes * weight).sum(), leaf)
        assert spikes.dtype == gradient.dtype == leaf.dtype
        results.append((spikes.to(dtype), gradient.to(dtype)))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_every_call_starts_from_rest() -> None:
    current = torch.randn(4, 30, generator=seeded(0))
    neuron = LIF()
    first = neuron.over_time(current)
    neuron.over_time(10 + current[:, :7])
    assert torch.equal(neuron.over_time(current), first)


def test_relu_is_the_twin() -> None:
    current = torch.tensor([[-1.0, 2.0], [3.0, -4.0]])
    assert ReLU().over_time(current).tolist() == [[0.0, 2.0], [3.0, 0.0]]


@pytest.mark.parametrize("decay", [0.0, -0.5, 1.1, float("nan")])
def test_a_decay_outside_its_range_is_refused(decay: float) -> None:
    with pytest.raises(RangeError, match=r"decay must lie in \(0, 1\]"):
        LIF(decay=decay)


def test_other_bad_values_are_refused() -> None:
    with pytest.raises(RangeError, match="threshold must be finite and > 0"):
        LIF(threshold=0.0)
    with pytest.raises(ShapeError, match="at least one time step"):
        LIF().over_time(torch.zeros(0, 3))
