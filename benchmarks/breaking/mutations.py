"""What can be wrong with a run folder that came from elsewhere: each kind changes one thing in a copy of a whole one."""

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import tomli_w
import torch
from safetensors.torch import save_file

from unrolled.training import RunFolder
from unrolled.training.checkpoint import load_tensors

FILES = ("config.toml", "codecs.json", "recurrence.cell", "model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "watch.jsonl")
WRITTEN = (*FILES, "loss.png", "report.html", ".lock", "tensorboard")

ABSURD = [
    *("9" * 5000, "9" * 4299, "-1", "0", "1", "2", "1e400", "1e308", "1e39", "5e-324", "true", '""', '"x"', '"\\u0000"', '"$\\\\frac{$"', '"\\u202e\\u001b[31m"'),
    *(f'"{"x" * 1_000_000}"', '"/dev/zero"', '"pipe"', "[]", "{}", "[" * 5000 + "]" * 5000, "[[1, 2], [3]]"),
    *map(str, (2**16, 2**24, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63))),
]  # fmt: skip
_PLACE = "absurd value here"


def _any_file(folder: Path, chance: Random) -> Path:
    return folder / chance.choice([name for name in FILES if (folder / name).exists()])


def truncated(folder: Path, others: list[Path], chance: Random) -> None:
    """A file is cut."""
    path = _any_file(folder, chance)
    os.truncate(path, chance.randint(0, path.stat().st_size))


def flipped(folder: Path, others: list[Path], chance: Random) -> None:
    """Some bytes of a file are others."""
    path = _any_file(folder, chance)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 30])):
        content[chance.randrange(len(content))] ^= chance.randint(1, 255)
    path.write_bytes(content)


def swapped(folder: Path, others: list[Path], chance: Random) -> None:
    """A file has the content of another one, of this run or of one of another task."""
    content = _any_file(chance.choice([folder, *others]), chance).read_bytes()
    _any_file(folder, chance).write_bytes(content)


def foreign(folder: Path, others: list[Path], chance: Random) -> None:
    """A file is the one of another task's run."""
    path = _any_file(folder, chance)
    other = chance.choice(others) / path.name
    if other.exists():
        shutil.copy(other, path)


def planted(folder: Path, others: list[Path], chance: Random) -> None:
    """A link, pipe, folder or second name is there in the place of a file, or where one could be written aside."""
    name = chance.choice([*WRITTEN, *(f".{name}.part" for name in WRITTEN)])
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    precious = folder.parent / "precious"
    acts: list[Callable[[], object]] = [
        lambda: path.symlink_to(precious),
        lambda: path.symlink_to(folder.parent / "outside"),
        lambda: path.symlink_to(folder.parent / "outside" / "fresh"),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to("/dev/full"),
        lambda: path.symlink_to(name),
        lambda: os.link(precious, path),
        lambda: os.mkfifo(path),
        lambda: os.mkdir(path),
        lambda: (path / "inside").mkdir(parents=True),
    ]
    chance.choice(acts)()


def configuration(folder: Path, others: list[Path], chance: Random) -> None:
    """A value of the configuration is absurd."""
    config = RunFolder(folder).read_config()
    token = chance.choice([*ABSURD, "nan", "inf", "1979-05-27", "0x" + "f" * 4000, ".".join(["a"] * 3000) + " = 1"])
    text = tomli_w.dumps(_changed(config, chance))
    (folder / "config.toml").write_text(text.replace(f'"{_PLACE}"', token), encoding="utf-8")


def codecs(folder: Path, others: list[Path], chance: Random) -> None:
    """A value of what is known of the data is absurd."""
    _absurd_json(folder / "codecs.json", chance)


def records(folder: Path, others: list[Path], chance: Random) -> None:
    """A value of what was recorded is absurd."""
    path = folder / chance.choice(["metrics.jsonl", "watch.jsonl"])
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    number = chance.randrange(len(lines))
    changed = json.dumps(_changed(json.loads(lines[number]), chance))
    lines[number] = changed.replace(f'"{_PLACE}"', chance.choice([*ABSURD, "NaN", "Infinity"]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def tensors(folder: Path, others: list[Path], chance: Random) -> None:
    """A tensor has other numbers, another shape or type, or is gone; or the head of its file says what is not so."""
    path = folder / chance.choice(["model.safetensors", "checkpoint.safetensors"])
    found, metadata = load_tensors(path)
    found = {name: tensor.clone() for name, tensor in found.items()}
    name = chance.choice(sorted(found))
    acts: list[Callable[[], object]] = [
        lambda: found[name].view(-1)[:1].fill_(float("nan")) if found[name].is_floating_point() else found.pop(name),
        lambda: found[name].fill_(float("inf")) if found[name].is_floating_point() else found.pop(name),
        lambda: found[name].fill_(1e38) if found[name].is_floating_point() else found.pop(name),
        lambda: found.update({name: torch.zeros(chance.choice([(), (0,), (3,), (1, 1, 1, 1), (1 << 20,)]))}),
        lambda: found.update({name: found[name].to(chance.choice([torch.float64, torch.int8, torch.bfloat16, torch.bool]))}),
        lambda: found.pop(name),
        lambda: found.update({chance.choice(["other", "", "x" * 100_000, "carried.x", "random.cpu"]): torch.zeros(2)}),
        lambda: metadata.update({"position": _text(json.loads(metadata.get("position", '{"x": 1}')), chance)}),
        lambda: metadata.update({"x" * 100_000: "y" * 1_000_000}),
    ]
    chance.choice(acts)()
    save_file(found, path, metadata)
    if chance.random() < 0.2:
        content = bytearray(path.read_bytes())
        content[:8] = struct.pack("<Q", chance.choice([0, 1, 2**31, 2**62, 2**64 - 1]))
        path.write_bytes(content)


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def programs(folder: Path, others: list[Path], chance: Random) -> None:
    """A file is a pickle that would run a program where it is loaded."""
    trap, path = _Trap(folder.parent / "outside" / "sprung"), _any_file(folder, chance)
    if chance.random() < 0.5:
        torch.save({"x": trap}, path)
    else:
        path.write_bytes(pickle.dumps(trap))


def cells(folder: Path, others: list[Path], chance: Random) -> None:
    """The equations are others, or none."""
    text = (folder / "recurrence.cell").read_text(encoding="utf-8")
    token = chance.choice(["(" * 3000 + "1" + ")" * 3000, "9" * 5000, "1e999", "__import__('os')", "h" * 100_000, "\0", "-" * 3000 + "1"])
    at = chance.randrange(len(text))
    (folder / "recurrence.cell").write_text(text[:at] + token + text[at + chance.choice([0, 1, 9]) :], encoding="utf-8")


KINDS = {
    act.__name__: act for act in (truncated, flipped, swapped, foreign, planted, configuration, codecs, records, tensors, programs, cells)
}


def _absurd_json(path: Path, chance: Random) -> None:
    path.write_text(_text(json.loads(path.read_text(encoding="utf-8")), chance), encoding="utf-8")


def _text(value: Any, chance: Random) -> str:
    return json.dumps(_changed(value, chance)).replace(f'"{_PLACE}"', chance.choice(ABSURD))


def _changed(value: Any, chance: Random) -> Any:
    """The same with the absurd value in the place of something inside it, at any depth."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys:
        return _PLACE
    key = chance.choice(keys)
    inner = _changed(value[key], chance) if chance.random() < 0.9 else _PLACE
    if isinstance(value, dict):
        return {**value, key: inner}
    return [*value[:key], inner, *value[key + 1 :]]
