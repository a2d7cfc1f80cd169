"""`unrolled formats`: how files of sequences may be written."""

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from unrolled.cli.flags import as_flags
from unrolled.errors import ConfigError
from unrolled.later import Later
from unrolled.options import Option, options_of

if TYPE_CHECKING:
    from unrolled.data import formats as of_sequences
    from unrolled.data.formats import options, pair_options, pairs
    from unrolled.data.formats.format import About
else:
    of_sequences, pairs = Later("unrolled.data.formats"), Later("unrolled.data.formats.pairs")
    options, pair_options = Later("unrolled.data.formats.options"), Later("unrolled.data.formats.pair_options")

FOR_ALL = ("format", "encoding", "bad_rows")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def formats(name: str | None, as_json: bool) -> None:
    """List the formats of files, or show the one called NAME: a sample, the fields that it gives, and its options.

    A field is what an example may have: text, tokens or numbers to read, and labels, tags, values or texts to predict.
    """
    known = _known()
    if name is not None and name not in known:
        raise ConfigError(f"There is no format {name!r}. There are {', '.join(known)}.")
    if as_json:
        click.echo(json.dumps(_object(known[name]) if name else {each: _object(found) for each, found in known.items()}))
    elif name is None:
        for each, found in known.items():
            click.echo(f"{each:12} {', '.join(found.suffixes) or '(by its options)'}\n             {as_flags(found.about.says)}")
        click.echo("\nunrolled formats NAME shows a sample and the options of one.")
    else:
        click.echo(_page(known[name]))


@dataclass(frozen=True)
class _Known:
    """A format as people and programs are shown it; `options` are its own and those that all formats have."""

    name: str
    suffixes: tuple[str, ...]
    about: "About"
    options: tuple[Option, ...]


def _known() -> dict[str, _Known]:
    """The formats of sequences, and those of pairs."""
    sequences = [
        _Known(name, known.suffixes, known.about, _options(known.about, options.DividedReadingOptions))
        for name, known in of_sequences.FORMATS.items()
    ]
    suffixes = {name: tuple(suffix for suffix, format in pairs.SUFFIXES.items() if format == name) for name in pairs.PAIRS}
    of_pairs = [
        _Known(f"pairs-{name}", suffixes[name], known.about, _options(known.about, pair_options.DividedPairOptions))
        for name, known in pairs.PAIRS.items()
    ]
    return {known.name: known for known in (*sequences, *of_pairs)}


def _options(about: "About", kind: type) -> tuple[Option, ...]:
    owned = {*about.options, *FOR_ALL, *(["scheme"] if "tags" in about.gives else [])}
    return tuple(option for option in options_of(kind) if option.name in owned)


def _object(known: _Known) -> dict[str, object]:
    """The same for programs."""
    about = known.about
    return {
        "says": as_flags(about.says),
        "suffixes": known.suffixes,
        "fields": about.gives,
        "options": {option.name: as_flags(option.help) for option in known.options},
        "sample": about.sample,
        "read_with": dict(about.reading),
    }


def _page(known: _Known) -> str:
    """A format with its sample and its options."""
    about = known.about
    lines = [
        f"{known.name}: {as_flags(about.says)}",
        "",
        f"Files: {', '.join(known.suffixes) or 'any; its options say it'}",
        f"Fields: {', '.join(about.gives)}",
    ]
    if about.sample:
        lines += ["", *(f"    {line}" for line in about.sample.splitlines()), ""]
    if about.sample and about.task:
        file = f"file{next(iter(known.suffixes), '.csv' if about.reading else '.txt')}"
        files = [file] if known.name != "files" else ["French.txt", "Irish.txt"]
        flags = [word for option, value in about.reading.items() for word in (f"--{option}", value)]
        lines.append(shlex.join(["unrolled", "train", about.task, *files, *flags]))
    return "\n".join([*lines, "", "Options:", *(f"  {option.flag:14} {as_flags(option.help)}" for option in known.options)])
