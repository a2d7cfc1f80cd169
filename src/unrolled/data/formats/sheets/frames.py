"""Tables that pandas has written into HDF5 files, through pandas."""

from collections.abc import Iterator
from pathlib import Path

from unrolled.data.formats.sheets.heaps import require_plain_objects
from unrolled.data.formats.sheets.reading import as_cell
from unrolled.errors import DataError
from unrolled.extras import extra


def is_frame(path: Path) -> bool:
    """Whether an HDF5 file has a table of pandas in it."""
    with extra("h5py").File(path, "r") as file:
        return any("pandas_type" in getattr(file[name], "attrs", {}) for name in file)


def frame_rows(path: Path) -> Iterator[list[str]]:
    """The names of the columns, and the rows, of the only table; an index that does not merely count is the first column."""
    extra("tables")
    require_plain_objects(path)
    pandas = extra("pandas")
    with pandas.HDFStore(path, "r") as store:
        keys = [key for key in store if "/meta/" not in key]
        if len(keys) != 1:
            raise DataError(f"{path} has {len(keys)} tables in it, and one is read: {', '.join(keys)}. Save that one as a file of its own.")
        frame = store[keys[0]]
    frame = frame if hasattr(frame, "columns") else frame.to_frame()
    frame = frame if frame.index.equals(pandas.RangeIndex(len(frame))) else frame.reset_index()
    yield list(map(str, frame.columns))
    for row in frame.itertuples(index=False, name=None):
        yield [as_cell(None if pandas.isna(value) is True else value) for value in row]
