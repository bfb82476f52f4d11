"""Synchronised normalisation: two processes compute what one computes with the whole batch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn

from rsc_snn.errors import InputError
from rsc_snn.networks import VGG5
from rsc_snn.networks.synced import SyncedBatchNorm, synchronise
from tests.helpers import seeded

PARTS = (slice(0, 5), slice(5, 8))  # unequal batches
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def network() -> nn.Module:
    """Two normalisations with a nonlinearity between; float64, no parameter at a special value."""
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.Tanh(), nn.BatchNorm2d(4)).double()
    with torch.no_grad():
        for index, parameter in enumerate(layers.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(index), dtype=torch.float64))
    return layers


def whole_batch() -> Tensor:
    """Eight images with a mean far from 0."""
    return 3 + torch.randn(8, 3, 6, 5, generator=seeded(20), dtype=torch.float64)


def loss_of(outputs: Tensor) -> Tensor:
    return outputs.sin().mean()


def penalty_of(grad: Tensor) -> Tensor:
    return grad.pow(3).sum() * 1e3


def run_rank(rank: int, folder: str) -> None:
    """What each of the two processes does: one step of training, then writes what it got."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=len(PARTS)
    )
    layers = synchronise(network())
    images = whole_batch()[PARTS[rank]].requires_grad_()
    outputs = layers(images)
    loss_of(outputs).backward()
    found = {name: p.grad for name, p in layers.named_parameters()}
    found |= dict(layers.named_buffers()) | {"outputs": outputs.detach(), "images": images.grad}
    layers, images = synchronise(network()), whole_batch()[PARTS[rank]].requires_grad_()
    (grad,) = torch.autograd.grad(loss_of(layers(images)), images, create_graph=True)
    penalty_of(grad).backward()
    found |= {f"second {name}": p.grad for name, p in layers.named_parameters()}
    found["second images"] = images.grad
    torch.save(found, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one_with_the_whole_batch(tmp_path: Path) -> None:
    """DDP averages gradients, so the loss is the mean of the two local means."""
    spawn(run_rank, args=(str(tmp_path),), nprocs=len(PARTS))
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(len(PARTS))]

    layers, images = network(), whole_batch().requires_grad_()
    outputs = layers(images)
    torch.stack([loss_of(outputs[part]) for part in PARTS]).mean().backward()
    assert images.grad is not None
    for part, rank in zip(PARTS, found, strict=True):
        assert_close(rank["outputs"], outputs[part].detach())
        assert_close(rank["images"] / len(PARTS), images.grad[part])
        for name, buffer in layers.named_buffers():
            assert_close(rank[name], buffer)
    for name, parameter in layers.named_parameters():
        assert_close(torch.stack([rank[name] for rank in found]).mean(0), parameter.grad)

    layers, images = network(), whole_batch().requires_grad_()
    outputs = layers(images)
    loss = torch.stack([loss_of(outputs[part]) for part in PARTS]).sum()
    (grad,) = torch.autograd.grad(loss, images, create_graph=True)
    penalty_of(grad).backward()
    assert images.grad is not None
    for part, rank in zip(PARTS, found, strict=True):
        assert_close(rank["second images"], images.grad[part])
    for name, parameter in layers.named_parameters():
        assert_close(torch.stack([rank[f"second {name}"] for rank in found]).sum(0), parameter.grad)
    assert float(images.grad.abs().max()) > 0.01

    outputs = network()(whole_batch())
    local = network()(whole_batch()[PARTS[0]]).detach()
    assert float((local - outputs.detach()[PARTS[0]]).abs().max()) > 0.01, "local statistics would differ"


@pytest.fixture
def group_of_one(tmp_path: Path) -> Iterator[None]:
    """A process group whose only member is this process."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/one", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("affected", ["group_of_one", None])
def test_one_process_equals_torch(
    is_training: bool, affected: str | None, request: pytest.FixtureRequest
) -> None:
    if affected:
        request.getfixturevalue(affected)
    results = []
    for layers in (network(), synchronise(network())):
        images = whole_batch().requires_grad_()
        layers(whole_batch() + 1)  # running statistics off their start
        outputs = layers.train(is_training)(images)
        loss_of(outputs).backward()
        results.append([outputs.detach(), images.grad, *(p.grad for p in layers.parameters())])
        results[-1] += list(layers.buffers())
    for ours, theirs in zip(*results, strict=True):
        assert_close(ours, theirs)


@pytest.mark.usefixtures("group_of_one")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    """A mean of 100 with a spread of 1: squares of 10^4 have no digits left for the spread in 16 bits."""
    images = (100 + torch.randn(8, 3, 6, 5, generator=seeded(0))).to(dtype)
    norm = SyncedBatchNorm(nn.BatchNorm2d(3))
    outputs = norm(images)
    assert outputs.dtype == dtype
    expected = nn.BatchNorm2d(3).double()(images.double())
    torch.testing.assert_close(outputs.double(), expected, rtol=torch.finfo(dtype).eps, atol=1e-4)
    assert norm.running_mean.dtype == torch.float32


def test_a_network_keeps_its_parameters_and_keys() -> None:
    built = VGG5(hidden_width=8).build(image_shape=(1, 8, 8), generator=seeded(0)).eval()
    current = torch.rand(2, 2, 1, 8, 8, generator=seeded(1))
    before, parameters, outputs = built.state_dict(), list(built.parameters()), built(current)
    assert synchronise(built) is built
    kinds = [type(m) for m in built.modules()]
    assert kinds.count(SyncedBatchNorm) == 3
    assert nn.BatchNorm2d not in kinds
    assert list(built.state_dict()) == list(before)
    assert all(new is old for new, old in zip(built.parameters(), parameters, strict=True))
    assert not any(m.training for m in built.modules())
    assert torch.equal(built(current), outputs)
    fresh = VGG5(hidden_width=8).build(image_shape=(1, 8, 8), generator=seeded(9))
    fresh.load_state_dict(built.state_dict())


@pytest.mark.parametrize("options", [{"affine": False}, {"track_running_stats": False}, {"momentum": None}])
def test_other_options_are_refused(options: dict[str, bool | None]) -> None:
    with pytest.raises(InputError, match="expects affine=True, track_running_stats=True and a momentum"):
        synchronise(nn.Sequential(nn.BatchNorm2d(3, **options)))  # type: ignore[arg-type]


def assert_close(found: Tensor, expected: Tensor | None) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
