"""The scripts of `benchmarks`, each at its smallest."""

import json
import random
import runpy
import struct
import sys
import types
import zipfile

import numpy as np
import pytest

from scripts import BENCHMARKS, run
from tones import said, write
from unrolled.training import RunFolder


@pytest.mark.parametrize("script", sorted(path.stem for path in BENCHMARKS.glob("*.py")))
def test_every_script_finds_what_it_imports(script):
    assert callable(runpy.run_path(str(BENCHMARKS / f"{script}.py"), run_name="imported")["main"])


def test_language_models_and_a_plain_script_are_measured_alike(tmp_path):
    chance = random.Random(2)
    for name in ("learnt", "held-out"):
        (tmp_path / name).write_text("".join(chance.choice(["the cat ", "sat on ", "a mat.\n"]) for _ in range(1000)))
    flags = ["--epochs", 6, "--seeds", 0, "--option", "hidden=8", "--option", "embedding=4"]
    *lines, plain, ours = run("language_models", tmp_path / "learnt", tmp_path / "held-out", *flags, HIDDEN=96).splitlines()
    found = {row["who"]: row for row in map(json.loads, lines)}
    assert list(found) == ["plain", "ours"]
    for line, row in zip((plain, ours), found.values(), strict=True):
        assert line == "{who:6} {held_out:.4f} on average, {held_out:.4f} to {held_out:.4f}".format(**row)
    assert found["plain"]["updates"] == found["ours"]["updates"] > 30
    assert found["plain"]["unigram"] == found["ours"]["unigram"] > 2
    assert 0 < found["plain"]["held_out"] < found["plain"]["unigram"]


def test_training_and_searches_of_an_encoder_decoder_are_timed():
    lines = run("encoder_decoder", "--symbols", 9, "--hidden", 4, "--embedding", 3, "--rounds", 2, "--threads", 1).splitlines()
    searches = [f"{search}, batch {batch}" for batch in (1, 64) for search in ("greedy search", "beam 5")]
    kinds = ["training", "its output layer alone", *searches]
    assert [line[:44].strip() for line in lines[1:]] == [*kinds, *(f"{kind}, bfloat16" for kind in kinds)]
    assert all(float(figure) > 0 for line in lines[1:] for figure in line[44:].split())


def test_labels_are_learnt_and_measured(tmp_path):
    (tmp_path / "names").mkdir()
    for language, name in (("Czech", "Novak"), ("German", "Bauer")):
        (tmp_path / "names" / f"{language}.txt").write_text("".join(f"{name}{n}\n" for n in range(40)))
    said = run("labelling", tmp_path, "names-once", "--seeds", 1, "--set", "hidden=4", "--set", "epochs=1", "--json")
    found = json.loads(said)
    assert found["row"] == "names-once"
    assert found["values"] == [found["mean"]]
    assert 0 <= found["mean"] <= 1
    assert found["options"]["hidden"] == 4


def test_a_speaker_who_is_left_out_is_heard_by_who_learnt_the_others(tmp_path):
    chance, archive, out = np.random.default_rng(0), tmp_path / "recordings.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as file:
        for speaker in ("ann", "bob"):
            for letter in "ab":
                for take in range(4):
                    name = f"{letter}_{speaker}_{take}.wav"
                    file.write(write(tmp_path / name, said(letter, chance)), f"recordings/{name}")
        file.writestr("recordings/README.txt", "Two letters.")
    changes = ("hidden=4", "epochs=1", "average=0.0", "frequency_masks=1")
    row, mean = run("listening", "speakers", archive, "--out", out, "--who", "bob", *(f"--set={change}" for change in changes)).splitlines()
    found = json.loads(row)
    assert (found["speaker"], found["recordings"], mean) == ("bob", 8, f"mean of 1: {found['accuracy']:.2%}")
    data, batches = (RunFolder(out / "bob-0").read_config()[part] for part in ("data", "batches"))
    assert data["sources"] == [str(out / "recordings" / "ann")]
    assert (data["standardise"], batches["frequency_masks"]) == ("speaker", 1)


def test_events_are_predicted_beside_counts(tmp_path):
    rows = [(f"case {n}", f"activity {k}", f"2020-01-{n % 28 + 1:02} 0{k}:00:00") for n in range(60) for k in range(4)]
    (tmp_path / "helpdesk.csv").write_text("\n".join(map(",".join, [("CaseID", "ActivityID", "CompleteTimestamp"), *rows])))
    said = run("events", tmp_path, "--seeds", 1).splitlines()
    assert [line.split(":")[0] for line in said] == ["by time", "seed 0", "mean of 1 random splits"]
    assert all(line.endswith("network 100.00%, pairs 100.00%, most frequent 25.00%") for line in said)


def test_the_cost_of_watching_is_a_quotient():
    lines = run("watch", "--hidden", 4, "--updates", 20, "--rounds", 2, "--every", 5).splitlines()
    assert [line.split()[0] for line in lines] == ["plain", "watched", "watched"]
    assert "ms per update" in lines[0]
    assert "watched / plain" in lines[2]
    assert "4 [4, 4] records" in lines[2] or "5 [5, 5] records" in lines[2]


def test_convolutions_are_timed_beside_a_plain_loop():
    flags = ["--channels", 2, "--space", 5, "--batch", 1, "--steps", 2, "--rounds", 2, "--threads", 1]
    lines = run("convolutions", *flags).splitlines()
    kinds = [f"{kind}: {who}" for kind in ("infer", "train", "train, with x") for who in ("ours", "plain", "plain, channels_last")]
    assert [line[11:47].strip() for line in lines] == kinds
    assert all(float(line[47:].split()[0]) > 0 for line in lines)


def test_glimpses_are_measured_beside_a_convolutional_network(tmp_path):
    for name in ("learnt", "test"):
        pixels = bytes(random.Random(name).choices(range(256), k=20 * 8 * 8))
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, 20, 8, 8) + pixels)
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 20) + bytes(n % 2 for n in range(20)))
    files = [tmp_path / f"{name}-images-idx3-ubyte" for name in ("learnt", "test")]
    said = run("glimpses", "cluttered", *files, "--who", "learned", "--who", "paper", "--out", tmp_path / "runs", "--epochs", 1)
    found = {row["who"]: row for row in map(json.loads, (line for line in said.splitlines() if line.startswith("{")))}
    assert list(found) == ["learned", "cnn", "random-glimpses", "paper"]
    assert all(row["of"] == 20 and 0 <= row["error"] <= 1 for row in found.values())
    assert found["paper"]["parameters"] == 8 * 101 + 257 * 2 + 256 * (8 * 11**2 + 1)
    assert abs(found["cnn"]["parameters"] / found["learned"]["parameters"] - 1) < 0.02


@pytest.mark.parametrize(
    ("script", "name", "others"),
    [
        ("sound_oracles", "librosa", ["jiwer"]),
        ("sound_oracles", "jiwer", ["librosa"]),
        ("forecast_oracles", "utilsforecast", ["scoringrules"]),
        ("forecast_oracles", "scoringrules", ["utilsforecast", "utilsforecast.losses"]),
    ],
)
def test_what_is_measured_is_compared_with_libraries_that_need_not_be_there(script, name, others, monkeypatch, capsys):
    for other in (name, *others):
        monkeypatch.setitem(sys.modules, other, None if other == name else types.ModuleType(other))
    with pytest.raises(AssertionError):
        run(script)
    assert f"{name} is not installed" in capsys.readouterr().err
