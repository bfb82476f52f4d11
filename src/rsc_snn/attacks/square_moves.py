"""What the Square attack tries: changes of a window. Axes: R images still searched, N random numbers."""

import math
from abc import abstractmethod

import torch
from torch import Tensor

from rsc_snn.attacks.norms import L2, Linf
from rsc_snn.rng import Randomness, uniform_like

_TILES = 5  # in each direction, at the start in l_2


class AbstractMoves:
    """Where a search begins and what it tries next, for perturbations [B, C, H, W] of size ``eps``."""

    def __init__(self, images: Tensor, *, eps: float):
        self.images, self.eps = images, eps
        self.num_channels, self.height, self.width = images.shape[1:]

    @property
    @abstractmethod
    def num_numbers(self) -> int:
        """N, the random numbers that a change of one image takes."""
        raise NotImplementedError

    @abstractmethod
    def start(self, generator: Randomness) -> Tensor:
        """Return a random perturbation for each image."""
        raise NotImplementedError

    @abstractmethod
    def side(self, share: float) -> int:
        """Return the side of a window that covers about this share of the pixels."""
        raise NotImplementedError

    @abstractmethod
    def changed(self, perturbation: Tensor, *, side: int, numbers: Tensor) -> Tensor:
        """Return the perturbation [R, C, H, W] changed at a random window; ``numbers`` are uniform [R, N]."""
        raise NotImplementedError

    def _rounded_side(self, share: float) -> int:
        return round(math.sqrt(share * self.height * self.width))

    def _window(self, numbers: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Index of a window of each image, uniform over all places, from numbers [R, 2]."""
        line = torch.arange(side, device=numbers.device)
        top = _whole(numbers[:, 0], self.height - side + 1)[:, None] + line
        left = _whole(numbers[:, 1], self.width - side + 1)[:, None] + line
        image = torch.arange(len(numbers), device=numbers.device)
        channel = torch.arange(self.num_channels, device=numbers.device)
        return (
            image[:, None, None, None],
            channel[None, :, None, None],
            top[:, None, :, None],
            left[:, None, None, :],
        )


class Corners(AbstractMoves):
    """l_inf: pixels at the edge of the box; a window has one sign per channel [arXiv:1912.00049, Alg. 2]."""

    @property
    def num_numbers(self) -> int:
        """A place, and a sign per channel."""
        return 2 + self.num_channels

    def start(self, generator: Randomness) -> Tensor:
        """Return vertical stripes of width 1, with a sign per channel."""
        numbers = uniform_like(self.images[:, :, :1, :], 1, generator)[0]
        return (self.eps * _sign(numbers)).expand_as(self.images)

    def side(self, share: float) -> int:
        """Return the side, at least 1."""
        return min(max(self._rounded_side(share), 1), self.height, self.width)

    def changed(self, perturbation: Tensor, *, side: int, numbers: Tensor) -> Tensor:
        """Return it with the window at +eps or -eps."""
        changed = perturbation.clone()
        changed[self._window(numbers[:, :2], side)] = self.eps * _sign(numbers[:, 2:, None, None])
        return changed


class Hills(AbstractMoves):
    """l_2: a hill beside a valley, paid for by another window [arXiv:1912.00049, Alg. 3 and Eq. 2]."""

    @property
    def num_numbers(self) -> int:
        """Two places, an orientation, and a sign per channel."""
        return 5 + self.num_channels

    def start(self, generator: Randomness) -> Tensor:
        """Return hills and valleys on a grid of squares, 5 x 5 or a little more, of norm eps."""
        side = max(min(self.height, self.width) // _TILES, 1)
        rows, columns = self.height // side, self.width // side
        lots = self.images.new_empty(len(self.images), self.num_channels + 1, rows, columns)
        numbers = uniform_like(lots, 1, generator)[0]
        numbers = numbers.repeat_interleave(side, 2).repeat_interleave(side, 3)
        shape = hill_and_valley(side).to(self.images)
        tiled, turned = shape.repeat(rows, columns), shape.T.repeat(rows, columns)
        tiles = torch.where(numbers[:, :1] < 0.5, tiled, turned) * _sign(numbers[:, 1:])
        change = torch.zeros_like(self.images)
        top, left = (self.height - rows * side) // 2, (self.width - columns * side) // 2
        change[:, :, top : top + rows * side, left : left + columns * side] = tiles
        return L2().stretched(change, self.eps)

    def side(self, share: float) -> int:
        """Return the side: odd and at least 3, where the image is that large."""
        side = max(self._rounded_side(share), 3)
        return min(side + 1 - side % 2, self.height, self.width)

    def changed(self, perturbation: Tensor, *, side: int, numbers: Tensor) -> Tensor:
        """Return it with a new hill in one window and nothing in another, of norm eps."""
        window, other = self._window(numbers[:, :2], side), self._window(numbers[:, 2:4], side)
        spare = (self.eps**2 - L2().size(perturbation).square()).clamp_min(0) / self.num_channels
        changed = perturbation.clone()
        old, budget = changed[window], _squared(changed[window])
        changed[window] = 0
        budget = budget + _squared(changed[other])  # of the pixels that are in no other window
        changed[other] = 0
        shape = hill_and_valley(side).to(perturbation)
        shape = torch.where(numbers[:, 4, None, None, None] < 0.5, shape, shape.T)
        new = _of_length_one(shape * _sign(numbers[:, 5:, None, None]) + _of_length_one(old))
        changed[window] = new * (spare[:, None, None, None] + budget).sqrt()
        return L2().stretched(changed, self.eps)


MOVES: dict[str, type[Corners] | type[Hills]] = {Linf().name: Corners, L2().name: Hills}


def hill_and_valley(side: int) -> Tensor:
    """Return a hill above a valley [side, side], of Euclidean length 1, float64."""
    hill, valley = _hill(side // 2, side), _hill(side - side // 2, side)
    return _unit(torch.cat([_unit(hill), -_unit(valley)]))


def _hill(height: int, width: int) -> Tensor:
    """At distance d from the centre (the larger of the two ways), the sum over k >= d of 1 / (k + 1)^2."""
    top = max(height // 2, width // 2)
    terms = 1 / torch.arange(1, top + 2, dtype=torch.float64).square()
    sums = terms.flip(0).cumsum(0).flip(0)
    down = (torch.arange(height) - height // 2).abs()
    right = (torch.arange(width) - width // 2).abs()
    distance = torch.maximum(down[:, None], right[None, :])
    return sums.index_select(0, distance.flatten()).reshape(height, width)


def _unit(values: Tensor) -> Tensor:
    return values / values.square().sum().sqrt().clamp_min(torch.finfo(values.dtype).tiny)


def _squared(windows: Tensor) -> Tensor:
    return windows.square().sum((2, 3), keepdim=True)


def _of_length_one(windows: Tensor) -> Tensor:
    """Each channel of each window divided by its Euclidean length; 0 stays 0."""
    return windows / _squared(windows).sqrt().clamp_min(torch.finfo(windows.dtype).tiny)


def _whole(numbers: Tensor, count: int) -> Tensor:
    """Integers 0 ... count - 1 from uniform numbers in [0, 1)."""
    return (numbers * count).long().clamp_max(count - 1)


def _sign(numbers: Tensor) -> Tensor:
    return torch.where(numbers < 0.5, -1.0, 1.0).to(numbers.dtype)
