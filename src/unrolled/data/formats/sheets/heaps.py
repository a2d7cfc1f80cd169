"""What pandas keeps in HDF5 files as Python objects: whether it is whole, and made of texts and numbers alone.

Texts lie in pickles, which can run programs when they are loaded, and in heaps, through which the HDF5 library looks for minutes where they are damaged. Both are looked
at before any library reads them. The format of heaps: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, "Global Heap".
"""

import io
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from unrolled.data.formats.sheets.reading import open_seekable
from unrolled.errors import DataError
from unrolled.extras import extra

_PLAIN = frozenset(
    (module, name)
    for core in ("numpy.core.multiarray", "numpy._core.multiarray")
    for module, name in (
        *((core, name) for name in ("_reconstruct", "scalar")),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("_codecs", "encode"),
        ("builtins", "complex"),
        ("datetime", "datetime"),
        ("datetime", "date"),
        ("datetime", "time"),
        ("decimal", "Decimal"),
    )
)
"""What pickles may name: arrays, numbers and times, which run nothing."""

_TIMES, _MAKERS = "pandas._libs.tslibs.", ("_unpickle_timestamp", "_timedelta_unpickle", "__nat_unpickle")
"""Where pandas has its classes of times and steps of time, and the functions that make some of them."""

_REFERENCE = struct.Struct("<IQI")
"""How the cells of an array of different lengths are written: the length, the place of a heap in the file, and the number of an object in it."""

_HEAP, _OBJECT = struct.Struct("<4sB3xQ"), struct.Struct("<HH4xQ")
"""How a heap begins, with its size, and an object in it, with its number, its count, and its size."""


class _Forbidden(pickle.UnpicklingError):
    """A pickle that names something else."""


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_TIMES) and name.isidentifier():
            found = super().find_class(module, name)
            if name in _MAKERS or isinstance(found, type):
                return found
        raise _Forbidden(f"{module}.{name}")


def require_plain_objects(path: Path) -> None:
    """`DataError` for an HDF5 file with damaged heaps, and for one whose pickles hold more than texts, numbers and times."""
    with extra("h5py").File(path, "r") as file, open_seekable(path) as data:
        for name, text in [*_attributes(file), *_objects(file, data, path)]:
            try:
                _Plain(io.BytesIO(text)).load()
            except _Forbidden as error:
                cure = "It could run programs and is not read. Save the table as Parquet or CSV from a program that you trust."
                raise DataError(f"{path}: {name} has a Python object, {error}. {cure}") from None
            except Exception:
                continue


def _nodes(file: Any) -> Iterator[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("/", file)]
    file.visititems(lambda name, node: found.append((name, node)))
    return iter(found)


def _attributes(file: Any) -> Iterator[tuple[str, bytes]]:
    """The attributes that PyTables would take for pickles."""
    for name, node in _nodes(file):
        for key in node.attrs:
            value = node.attrs[key]
            if isinstance(value, bytes | str):
                yield f"{name}, {key}", value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def _objects(file: Any, data: BinaryIO, path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of the objects that arrays of different lengths refer to."""
    size = data.seek(0, io.SEEK_END)
    for name, node in _nodes(file):
        if (
            not hasattr(node, "dtype")
            or extra("h5py").check_vlen_dtype(node.dtype) is None
            or not node.chunks
            or node.id.get_create_plist().get_nfilters()
        ):
            continue
        for chunk in range(node.id.get_num_chunks()):
            _, cells = node.id.read_direct_chunk(node.id.get_chunk_info(chunk).chunk_offset)
            for length, place, number in _REFERENCE.iter_unpack(cells[: len(cells) // _REFERENCE.size * _REFERENCE.size]):
                if length:
                    yield name, _object(data, place + file.userblock_size, number, length, size, path)


def _object(data: BinaryIO, place: int, number: int, length: int, size: int, path: Path) -> bytes:
    """The bytes of an object in a heap, of which all sizes must fit into the file."""
    data.seek(min(place, size))
    begin = data.read(_HEAP.size)
    mark, version, room = _HEAP.unpack(begin) if len(begin) == _HEAP.size else (b"", 0, 0)
    if mark != b"GCOL" or version != 1 or room > size - place:
        raise _damaged(path, place)
    heap, at, found = data.read(room - _HEAP.size), 0, None
    while at + _OBJECT.size <= len(heap):
        known, _, long = _OBJECT.unpack_from(heap, at)
        if known == 0:
            break
        if long > len(heap) - at - _OBJECT.size:
            raise _damaged(path, place)
        if known == number:
            found = heap[at + _OBJECT.size : at + _OBJECT.size + long]
        at += _OBJECT.size + (long + 7) // 8 * 8
    if found is None or length > len(found):
        raise _damaged(path, place)
    return found[:length]


def _damaged(path: Path, place: int) -> DataError:
    return DataError(
        f"{path} cannot be read as an HDF5 file: what lies at byte {place:,} is no whole heap of objects. It is damaged, or not complete: get it again."
    )
