"""Recordings, pictures and clips that cannot be read end the reading or are left out, as rows of a table are, and are told with their rows."""

import warnings
from pathlib import Path

import pytest

import unrolled as un
from pictures import save, save_gif, squares
from tones import tone, write
from unrolled.errors import DataError, UnrolledWarning


def table(folder: Path, names: list[str], cells: list[str]) -> str:
    path = folder / "a.csv"
    path.write_text("file,label\n" + "".join(f"{name},{cell}\n" for name, cell in zip(names, cells, strict=True)))
    return str(path)


def sounds(folder: Path) -> list[str]:
    for number in range(6):
        write(folder / f"{number}.wav", tone(200 + 50 * number, 0.2))
    (folder / "broken.wav").write_bytes(b"RIFFxxxxWAVEno sound")
    return ["0.wav", "broken.wav", *(f"{number}.wav" for number in range(1, 6))]


def pictures(folder: Path) -> list[str]:
    for number in range(6):
        save(folder / f"{number}.png", squares(1)[0] // (number + 1))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return ["0.png", "broken.png", *(f"{number}.png" for number in range(1, 6))]


@pytest.mark.parametrize(("make", "task"), [(sounds, "classify"), (sounds, "transcribe"), (pictures, "classify")])
def test_a_broken_file_in_a_table(make, task: str, tmp_path: Path) -> None:
    source = table(tmp_path, make(tmp_path), list("xxyxyxy"))
    options = {"target": "label", "input": "file"}
    with pytest.raises(DataError, match=r"broken\.\w+ cannot be read .* To leave such rows out, pass `bad_rows='skip'`"):
        raise un.look(source, task, **options).problem
    with pytest.warns(UnrolledWarning, match=r"^1 bad row is left out. The first: .*a.csv, line 3: .*broken\.\w+ cannot be read"):
        found = un.look(source, task, bad_rows="skip", **options)
    assert found.problem is None and found.to_json()["sequences"] == 6


def test_a_broken_clip_among_those_whose_frames_are_forecast(tmp_path: Path) -> None:
    for number in range(6):
        save_gif(tmp_path / f"{number}.gif", squares(6, step=1 + number % 2))
    (tmp_path / "b.gif").write_bytes(b"GIF89a no clip")
    with pytest.raises(DataError, match=r"b.gif cannot be read .*`bad_rows='skip'`"):
        raise un.look(tmp_path, "frames", past=3, future=2).problem
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = un.look(tmp_path, "frames", past=3, future=2, bad_rows="skip")
    assert found.problem is None and len(found.overview.lengths) == 6
    assert [
        str(warning.message)
        for warning in told
        if "1 bad row is left out. The first:" in str(warning.message) and "b.gif" in str(warning.message)
    ]
