"""MATLAB's files: their arrays and cells by name, whichever of its two kinds of files they lie in."""

from typing import Any, BinaryIO

import numpy as np

from unrolled.extras import extra

_HDF5 = b"MATLAB 7.3"
"""How files begin that are HDF5 behind a head of MATLAB's."""


def read_mat(file: BinaryIO) -> dict[str, Any]:
    """The arrays of a file that are not empty, cells as arrays of objects; sparse ones are filled."""
    begins = file.read(len(_HDF5))
    file.seek(0)
    if begins == _HDF5:
        with extra("h5py").File(file, "r") as archive:
            found = {name: _in_hdf5(archive, node) for name, node in archive.items() if not name.startswith("#")}
    else:
        found = {name: _filled(array) for name, array in extra("scipy.io").loadmat(file).items() if not name.startswith("__")}
    return {name: array for name, array in found.items() if array.size}


def _filled(array: Any) -> Any:
    if hasattr(array, "toarray"):
        return array.toarray()
    if array.dtype == object:
        for place, cell in np.ndenumerate(array):
            array[place] = _filled(cell)
    return array


def _in_hdf5(archive: Any, node: Any) -> Any:
    """An array of version 7.3, whose axes MATLAB writes in the other order."""
    shape = node.attrs.get("MATLAB_sparse")
    if shape is not None:
        return _sparse(node, int(shape))
    if not hasattr(node, "dtype"):
        return np.empty((1,), np.void)
    if node.attrs.get("MATLAB_empty"):
        return np.zeros(tuple(node[()].astype(int).tolist()))
    if node.dtype.kind != "O":
        return node[()].T if "MATLAB_class" in node.attrs else node[()]
    cells = np.empty(node.shape, object)
    for place, reference in np.ndenumerate(node[()]):
        cells[place] = _in_hdf5(archive, archive[reference])
    return cells.T


def _sparse(node: Any, rows: int) -> Any:
    """What a sparse matrix is: the numbers of each column, and in which rows they stand."""
    starts = node["jc"][()].astype(np.int64)
    found = np.zeros((rows, len(starts) - 1))
    if "ir" in node:
        found[node["ir"][()].astype(np.int64), np.repeat(np.arange(len(starts) - 1), np.diff(starts))] = node["data"][()]
    return found
