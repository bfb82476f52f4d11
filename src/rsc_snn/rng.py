"""Image-keyed randomness: every number belongs to (seed, purpose, image, draw, step).

``Streams`` evaluates the counter-based generator Philox 4x32-10 [Salmon et al., SC 2011] in tensor
operations, so that the noise of an image does not depend on its neighbours in the batch, on the
number of processes, or on what was computed before. Axes: S steps, B batch, N numbers per image.
"""

import contextlib
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Generator, Tensor

from rsc_snn.errors import InputError, ShapeError

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_NUM_ROUNDS = 10
_LANES = 4


class Streams:
    """One stream of random numbers per image, accepted wherever a generator is.

    Every use takes the next draw (0, 1, ...) for all images; ``at`` fixes the draws instead.

    Args:
        seed: Any integer.
        purpose: What the numbers are for, such as "attack" or "score"; purposes are independent.
        indices: Index of each image in its data set, [B] non-negative integers below 2**32.
    """

    def __init__(self, seed: int, purpose: str, indices: "Tensor | Sequence[int] | range"):
        if not purpose:
            raise InputError("purpose expects a name such as 'score', got an empty string")
        self.seed = int(seed)
        self.purpose = purpose
        self.indices = _counters(indices, "indices")
        self._fixed_draws: Tensor | None = None
        self._next_draw = 0
        self._ahead: Tensor | int = 0
        self._apart = 1  # draws from one use to the next
        self._key = _words(self.seed, purpose)

    def at(self, draws: "Tensor | Sequence[int] | range | int") -> "Streams":
        """Return streams that use ``draws`` ([B] integers, or one for all) at every encoding."""
        if isinstance(draws, int):
            draws = [draws] * len(self.indices)
        fixed = Streams(self.seed, self.purpose, self.indices)
        fixed._fixed_draws = _counters(draws, "draws")
        if len(fixed._fixed_draws) != len(self.indices):
            raise ShapeError(
                f"draws must hold one number per image ({len(self.indices)}), got {len(fixed._fixed_draws)}"
            )
        return fixed

    def starting_at(self, draw: int) -> "Streams":
        """Return streams whose next draw is ``draw``."""
        streams = Streams(self.seed, self.purpose, self.indices)
        streams._next_draw, streams._ahead, streams._apart = draw, self._ahead, self._apart
        return streams

    def part(self, rows: Tensor, *, ahead: Tensor) -> "Streams":
        """Return streams of some of the images, each of them some draws further on than this one.

        Args:
            rows: Positions in this batch, [R] integers; a position may come more than once.
            ahead: Uses that each row has ahead of this one's next, [R] integers.
        """
        part = Streams(self.seed, self.purpose, self.indices[rows])
        earlier = self._ahead[rows] if isinstance(self._ahead, Tensor) else self._ahead
        part._next_draw, part._apart = self._next_draw, self._apart
        part._ahead = ahead * self._apart + earlier
        if self._fixed_draws is not None:
            part._fixed_draws = self._fixed_draws[rows]
        return part

    def uniform(self, shape: Sequence[int], *, num_steps: int, device: torch.device) -> Tensor:
        """Return uniform numbers k / 2**24 in [0, 1), float32 [S, B, *shape]; takes a draw."""
        size = math.prod(shape)
        words = torch.stack(self._take(size, num_steps, device), dim=-1).flatten(-2)[..., :size]
        numbers = (words >> 8).to(torch.float32) * 2.0**-24
        return numbers.reshape(num_steps, len(self), *shape)

    def normal(self, shape: Sequence[int], *, num_steps: int, device: torch.device) -> Tensor:
        """Return standard normal numbers [S, B, *shape] by Box and Muller's method; takes a draw.

        They are computed and returned in float64 where the device has it, else in float32, from 32-bit
        words, so that no number exceeds 6.77 in size (the normal does with probability 1.3e-11).
        """
        size = math.prod(shape)
        dtype = torch.float32 if device.type == "mps" else torch.float64
        halves: list[Tensor] = []
        words = self._take(size, num_steps, device)
        for first, second in (words[:2], words[2:]):
            radius = first.to(dtype).add_(0.5).mul_(2.0**-32).log_().mul_(-2.0).sqrt_()
            angle = second.to(dtype).mul_(2.0 * math.pi * 2.0**-32)
            halves += [radius * angle.cos(), radius.mul_(angle.sin_())]
        return torch.cat(halves, dim=-1)[..., :size].reshape(num_steps, len(self), *shape)

    def seed_for_foreign(self) -> int:
        """Return a 63-bit seed, from the draw that comes next, for code with a generator of its own."""
        draws = self._current() if self._fixed_draws is None else self._fixed_draws
        keyed = f"{self.seed}:{self.purpose}:{self.indices.tolist()}:{draws.tolist()}"
        return int.from_bytes(hashlib.sha256(keyed.encode()).digest()[:8], "big") >> 1

    @property
    def next_draw(self) -> int:
        """Number of the draw that comes next; of no meaning where draws are fixed."""
        return self._next_draw

    def skip(self, num_draws: int = 1) -> None:
        """Count draws as taken without computing them."""
        self._next_draw += num_draws * self._apart

    def go_on_after(self, other: "Streams") -> None:
        """Count the draws as taken that ``other``, which began where this one stands, has taken."""
        self._next_draw = other._next_draw

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"Streams(seed={self.seed}, purpose={self.purpose!r}, {len(self)} images)"

    def _draws(self) -> Tensor:
        if self._fixed_draws is not None:
            return self._fixed_draws
        draws = self._current()
        self.skip()
        return draws

    def _current(self) -> Tensor:
        return torch.full_like(self.indices, self._next_draw) + self._ahead

    def _take(self, size: int, num_steps: int, device: torch.device) -> list[Tensor]:
        """Four words of 32 bits for each block: four tensors int64 [S, B, ceil(size / 4)]."""
        num_blocks = -(-size // _LANES)
        block = torch.arange(num_blocks, device=device).reshape(1, 1, -1)
        step = torch.arange(num_steps, device=device).reshape(-1, 1, 1)
        is_ahead = device.type == "cuda"  # the host goes on; torch has copied the numbers by then
        draw = self._draws().to(device, non_blocking=is_ahead).reshape(1, -1, 1)
        image = self.indices.to(device, non_blocking=is_ahead).reshape(1, -1, 1)
        words = philox([block, step, draw, image], self._key)
        return [word.expand(num_steps, len(self), num_blocks) for word in words]


Randomness = Generator | Streams | None


def philox(counter: list[Tensor], key: tuple[int, int]) -> list[Tensor]:
    """Philox 4x32-10: four output words for each counter [Salmon et al., SC 2011, sec. 3.3].

    Args:
        counter: Four int64 tensors that broadcast together, values in [0, 2**32).
        key: Two integers in [0, 2**32).

    Returns:
        Four int64 tensors with values in [0, 2**32).
    """
    c0, c1, c2, c3 = counter  # products wrap modulo 2**64, which keeps all the bits we need
    k0, k1 = key
    for _ in range(_NUM_ROUNDS):
        product0, product1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        high0, high1 = (product0 >> 32).bitwise_and_(_MASK), (product1 >> 32).bitwise_and_(_MASK)
        c0, c2 = high1 ^ c1 ^ k0, high0 ^ c3 ^ k1
        c1, c3 = product1.bitwise_and_(_MASK), product0.bitwise_and_(_MASK)
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return [c0, c1, c2, c3]


def normal_like(image: Tensor, num_steps: int, generator: Randomness) -> Tensor:
    """Standard normal numbers [S, *image.shape] in the image's dtype and on its device."""
    if isinstance(generator, Streams):
        _require_batch(generator, image)
        numbers = generator.normal(image.shape[1:], num_steps=num_steps, device=image.device)
        return numbers.to(image.dtype)
    shape, device = (num_steps, *image.shape), _device_of(generator, image)
    numbers = torch.randn(shape, generator=generator, device=device, dtype=image.dtype)
    return numbers.to(image.device)


def uniform_like(image: Tensor, num_steps: int, generator: Randomness) -> Tensor:
    """Uniform numbers in [0, 1), [S, *image.shape], in the image's dtype and on its device."""
    if isinstance(generator, Streams):
        _require_batch(generator, image)
        numbers = generator.uniform(image.shape[1:], num_steps=num_steps, device=image.device)
        return numbers.to(image.dtype)
    shape, device = (num_steps, *image.shape), _device_of(generator, image)
    numbers = torch.rand(shape, generator=generator, device=device, dtype=image.dtype)
    return numbers.to(image.device)


def derived_generator(seed: int, purpose: str, *numbers: int) -> Generator:
    """A CPU generator of its own for whatever is not keyed by image, such as the order of an epoch."""
    high, low = _words(seed, ":".join((purpose, *map(str, numbers))))
    return Generator().manual_seed((high << 31) ^ low)


def held_draws(generator: Randomness, num_draws: int) -> Callable[[Tensor | None], Randomness]:
    """Take ``num_draws`` draws for all images, to be used again and again.

    Args:
        generator: What the draws are taken from; what it gives afterwards has nothing to do with them.
        num_draws: How many encodings one use takes.

    Returns:
        A function that, for some rows of the batch [R] or None for all, returns a generator at the first of
        these draws.
    """
    if isinstance(generator, Streams):
        everything = torch.arange(len(generator))
        first = generator.part(everything, ahead=torch.zeros_like(everything))
        generator.skip(num_draws)

        def streams(rows: Tensor | None) -> Streams:
            rows = everything if rows is None else rows.cpu()
            return first.part(rows, ahead=torch.zeros_like(rows))

        return streams
    device = None if generator is None else generator.device
    seed = int(torch.randint(2**62, (1,), generator=generator, device=device))
    return lambda rows: Generator(device=device or "cpu").manual_seed(seed)


@contextlib.contextmanager
def in_copies(generator: Randomness, num_copies: int) -> Iterator[Randomness]:
    """Give a batch that is repeated, all images and then all again, draws of its own for every copy.

    Use u of copy j takes draw u * num_copies + j, counted from the next draw of ``generator``, which goes on
    after the last of them. Where draws are fixed by ``at``, all copies have the same.
    """
    if not isinstance(generator, Streams):
        yield generator
        return
    rows = torch.arange(len(generator)).repeat(num_copies)
    copies = generator.part(rows, ahead=torch.arange(num_copies).repeat_interleave(len(generator)))
    copies._apart *= num_copies
    yield copies
    generator.go_on_after(copies)


@contextlib.contextmanager
def separate_global_state(generator: Randomness, device: torch.device) -> Iterator[None]:
    """Let foreign code draw from torch's global generators in a state of its own, then restore them.

    The state is seeded by ``generator`` (the draw that comes next, of ``Streams``); None changes nothing.
    """
    if generator is None:
        yield
        return
    if isinstance(generator, Streams):
        seed = generator.seed_for_foreign()
    else:
        seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    is_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if is_cuda else []):
        torch.default_generator.manual_seed(seed)
        if is_cuda:
            torch.cuda.default_generators[device.index or 0].manual_seed(seed)
        yield


def _require_batch(streams: Streams, image: Tensor) -> None:
    if len(streams) != len(image):
        raise ShapeError(
            f"the streams hold {len(streams)} images, the batch {len(image)}; "
            "give Streams the index of every image of the batch"
        )


def _device_of(generator: Generator | None, image: Tensor) -> torch.device:
    return image.device if generator is None else generator.device


def _counters(values: "Tensor | Sequence[int] | range", name: str) -> Tensor:
    counters = torch.as_tensor(values if isinstance(values, Tensor) else list(values))
    if counters.ndim != 1 or counters.is_floating_point():
        raise ShapeError(f"{name} must be a list of integers [B], got {list(counters.shape)}")
    counters = counters.to(torch.int64)
    if len(counters) and not 0 <= int(counters.min()) <= int(counters.max()) <= _MASK:
        raise InputError(f"{name} must lie in [0, 2**32), got {counters.min()} to {counters.max()}")
    return counters


def _words(seed: int, purpose: str) -> tuple[int, int]:
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
