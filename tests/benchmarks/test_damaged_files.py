"""Damaged files of every format are read, or refused with an error that names them. `benchmarks/damaged_files.py` does it with thousands."""

import random
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import damaged_files
from unrolled.data.formats import FORMATS
from unrolled.data.formats.pairs import PAIRS
from unrolled.data.opening import PACKED
from unrolled.data.panels.options import LAYOUTS
from unrolled.errors import DataError

SAMPLES = damaged_files.samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_damage_is_told(sample, tmp_path_factory) -> None:
    path = damaged_files.put(sample, tmp_path_factory.mktemp("damaged"))
    assert sample.read(path, "error") > 0

    @settings(max_examples=6, deadline=None, phases=[Phase.generate])
    @given(st.integers(0, 2**32))
    def damage(seed: int) -> None:
        path.write_bytes(damaged_files.damaged(sample.content, random.Random(seed)))
        assert damaged_files.outcome(sample, path) in ("read", "refused")

    damage()


def test_every_format_is_damaged() -> None:
    damaged = {known for sample in SAMPLES for known in sample.formats}
    captions = ("csv", "lines", "json", "coco", "karpathy")
    music = ("mid", "abc", "musicxml", "npz")
    others = {*(f"captions-{name}" for name in captions), *(f"music-{name}" for name in music), *(f"panel-{name}" for name in LAYOUTS)}
    assert damaged == {*FORMATS, *(f"pairs-{name}" for name in PAIRS), *(f"packed{end}" for end in PACKED), *others}


def test_an_error_that_does_not_name_its_file_fails(tmp_path) -> None:
    def refuse(*_: object) -> int:
        raise DataError("something is wrong")

    with pytest.raises(AssertionError, match="does not name the file: something is wrong"):
        damaged_files.outcome(replace(SAMPLES[0], read=refuse), tmp_path / "a.csv")
