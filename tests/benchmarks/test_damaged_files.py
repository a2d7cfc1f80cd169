"""Damaged files of every format are read, or refused with an error that names them. `benchmarks/damaged_files.py` does it with thousands."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import damaged_files
from unrolled.data.formats import FORMATS
from unrolled.data.formats.pairs import PAIRS
from unrolled.errors import DataError

SAMPLES = damaged_files.samples()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_damage_is_told(sample, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("damaged") / sample.name
    path.write_bytes(sample.content)
    assert sample.read(path) > 0

    @settings(max_examples=12, deadline=None)
    @given(st.integers(0, 2**32))
    def damage(seed: int) -> None:
        path.write_bytes(damaged_files.damaged(sample.content, random.Random(seed)))
        assert damaged_files.outcome(sample, path) in ("read", "refused")

    damage()


def test_every_format_is_damaged() -> None:
    names = " ".join(sample.name for sample in SAMPLES)
    others = {
        "tsv": "tsv",
        "lines": "",
        "arrays": "npz",
        "genbank": "gb",
        "idx": "idx3",
        "arrow": "feather",
        "excel": "xlsx",
        "sound": "",
        "frames": "",
    }
    assert all(others.get(name, name) in names for name in FORMATS)
    assert all(f"pairs-{name}" in names for name in PAIRS if PAIRS[name].about.task)


def test_an_error_that_does_not_name_its_file_fails(tmp_path, monkeypatch) -> None:
    def refuse(*_: object) -> int:
        raise DataError("something is wrong")

    monkeypatch.setattr(damaged_files.Sample, "read", refuse)
    with pytest.raises(AssertionError, match="does not name the file: something is wrong"):
        damaged_files.outcome(SAMPLES[0], tmp_path / "a.csv")
