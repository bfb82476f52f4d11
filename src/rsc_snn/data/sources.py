"""Where encoded images are: files of a folder, or rows of a table. Workers read them by number."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray


class AbstractSource(ABC):
    """The images of a split as their files hold them, numbered from 0."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """Return the content of image ``index``; raise OSError if it cannot be read."""
        raise NotImplementedError

    @abstractmethod
    def name(self, index: int) -> str:
        """Say where image ``index`` is."""
        raise NotImplementedError

    @abstractmethod
    def identities(self, indices: Iterable[int]) -> Iterator[str]:
        """Yield what tells each image from another version of it, without its content: name and size."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Files(AbstractSource):
    """Files of a folder.

    Attributes:
        folder: What the names start from.
        names: Path of each image in the folder, as bytes of the file system [N]; one block of memory, which
            forked workers share (a list of strings would be copied into each of them).
    """

    folder: Path
    names: NDArray[Any]

    def read(self, index: int) -> bytes:
        """Return the content of a file."""
        return self._path(index).read_bytes()

    def name(self, index: int) -> str:
        """Return the path."""
        return str(self._path(index))

    def identities(self, indices: Iterable[int]) -> Iterator[str]:
        """Yield the name in the folder and the size in bytes (-1: the file is gone)."""
        folder = os.fsencode(self.folder)
        for index in indices:  # a million times: no Path objects
            name = bytes(self.names[index])
            try:
                size = os.stat(os.path.join(folder, name)).st_size
            except OSError:
                size = -1
            yield f"{os.fsdecode(name)}:{size}"

    def _path(self, index: int) -> Path:
        return self.folder / os.fsdecode(bytes(self.names[index]))


@dataclass(frozen=True, eq=False)
class Rows(AbstractSource):
    """Rows of a table of ``datasets``, which stays on the disk.

    Attributes:
        place: Repository or folder it came from.
        table: With a column of undecoded images.
        column: Name of that column.
    """

    place: str
    table: Any
    column: str

    @classmethod
    def of(cls, place: str, table: Any, column: str) -> "Rows":
        """Take the image column of a table without decoding it."""
        import datasets

        undecoded = table.select_columns([column]).cast_column(column, datasets.Image(decode=False))
        return cls(place, undecoded, column)

    def read(self, index: int) -> bytes:
        """Return the content of a row's image."""
        import pyarrow

        try:
            image = self.table[index][self.column] or {}
        except pyarrow.ArrowException as err:
            raise OSError(" ".join(str(err).split())) from err
        content: bytes | None = image.get("bytes")
        if content is None and image.get("path") is None:
            raise OSError("the row holds no image")
        return Path(image["path"]).read_bytes() if content is None else content

    def name(self, index: int) -> str:
        """Return place and row."""
        return f"{self.place}, row {index}"

    def identities(self, indices: Iterable[int]) -> Iterator[str]:
        """Yield the row and the size in bytes."""
        import pyarrow.compute

        contents = pyarrow.compute.struct_field(self.table.data.column(self.column), "bytes")
        sizes = pyarrow.compute.binary_length(contents).to_pylist()
        return (f"{index}:{sizes[index]}" for index in indices)
