"""What a pass through a network keeps in memory for its backward half."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef


class KeptBytes:
    """Counts the storages that autograd saves while it is watched, without those of the parameters."""

    def __init__(self, module: nn.Module):
        self._own = {p.untyped_storage().data_ptr() for p in module.parameters()}
        self._saved: list[StorageWeakRef] = []
        self._sizes: dict[int, int] = {}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Watch a forward pass."""
        with torch.autograd.graph.saved_tensors_hooks(self._note, lambda tensor: tensor):
            yield

    def count(self) -> int:
        """Return the bytes that are still held: graphs that are gone by now do not count."""
        kept = {reference.cdata for reference in self._saved if not reference.expired()}
        return sum(self._sizes[address] for address in kept)

    def _note(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            reference = StorageWeakRef(storage)
            self._saved.append(reference)
            self._sizes[reference.cdata] = storage.nbytes()
        return tensor
