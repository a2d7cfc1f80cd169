"""`unrolled formats`: how files of labelled sequences may be written."""

import json
import shlex

import click

from unrolled.data.formats import FORMATS, ReadingOptions
from unrolled.data.formats.format import Format
from unrolled.errors import ConfigError
from unrolled.options import Option, options_of

FOR_ALL = ("format", "encoding")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def formats(name: str | None, as_json: bool) -> None:
    """List the formats of labelled files, or show the one called NAME: a sample, the fields that it gives, and its options."""
    if name is not None and name not in FORMATS:
        raise ConfigError(f"There is no format {name!r}. There are {', '.join(FORMATS)}.")
    if as_json:
        click.echo(json.dumps(_object(FORMATS[name]) if name else {known: _object(found) for known, found in FORMATS.items()}))
    elif name is None:
        for known, found in FORMATS.items():
            click.echo(f"{known:8} {', '.join(found.suffixes) or '(by its options)'}\n         {found.about.says}")
        click.echo("\nunrolled formats NAME shows a sample and the options of one.")
    else:
        click.echo(_page(FORMATS[name]))


def _object(known: Format) -> dict[str, object]:
    """The same for programs."""
    about = known.about
    owned = {option.name: option.help for option in _options(known)}
    return {
        "says": about.says,
        "suffixes": known.suffixes,
        "fields": about.gives,
        "options": owned,
        "sample": about.sample,
        "read_with": dict(about.reading),
    }


def _page(known: Format) -> str:
    """A format with its sample and its options."""
    about = known.about
    lines = [
        f"{known.name}: {about.says}",
        "",
        f"Files: {', '.join(known.suffixes) or 'any; its options say it'}",
        f"Fields: {', '.join(about.gives)}",
    ]
    if about.sample:
        lines += ["", *(f"    {line}" for line in about.sample.splitlines()), ""]
    if about.sample and about.task:
        file = f"file{next(iter(known.suffixes), '.csv' if about.reading else '')}"
        files = [file] if known.name != "files" else ["French.txt", "Irish.txt"]
        flags = [word for option, value in about.reading.items() for word in (f"--{option}", value)]
        lines.append(shlex.join(["unrolled", "train", about.task, *files, *flags]))
    options = [f"  {option.flag:12} {option.help}" for option in _options(known)]
    return "\n".join([*lines, "", "Options:", *options])


def _options(known: Format) -> list[Option]:
    """Its own options, and those that all formats have."""
    owned = {*known.about.options, *FOR_ALL, *(["scheme"] if "tags" in known.about.gives else [])}
    return [option for option in options_of(ReadingOptions) if option.name in owned]
