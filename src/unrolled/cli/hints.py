"""Guesses at what was meant where an option or a command has another name here."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import click

from unrolled.options import dashed, meant_by

_COMMANDS = {
    "lm": "language-model language-modelling language-modeling char-rnn text generate",
    "classify": "classification classifier",
    "tag": "tagging tagger ner pos",
    "regress": "regression regressor",
    "forecast": "forecasting forecaster",
    "translate": "translation translator seq2seq",
    "transcribe": "transcription asr speech",
    "predict": "infer inference label translate serve",
    "evaluate": "eval validate test",
    "sample": "generate write complete",
    "train": "fit learn",
    "train TASK --from RUN": "finetune fine-tune fine-tuning finetuning",
    "show": "cells cell",
    "doctor": "info version",
    "tune": "search sweep hyperopt optimize optimise",
    "runs": "list ls",
}
"""By the names of commands other words for them; a command may have arguments behind it."""


def hinted(error: click.NoSuchOption, known: Collection[str]) -> click.NoSuchOption:
    """The error with the option that was meant, if its name is one that other toolkits have."""
    if meant := [flag for flag in map(dashed, meant_by(error.option_name)) if flag in known]:
        return click.NoSuchOption(
            error.option_name, f"No such option {error.option_name!r}. Did you mean {' or '.join(meant)}?", ctx=error.ctx
        )
    return error


@contextmanager
def command_hint(arguments: Sequence[str], known: Collection[str]) -> Iterator[None]:
    """An unknown command inside is an error that names what may have been meant."""
    try:
        yield
    except click.UsageError as error:
        name = arguments[0].lower() if arguments else ""
        meant = [ours for ours, theirs in _COMMANDS.items() if name in theirs.split() and ours.split()[0] in known]
        meant = meant or difflib.get_close_matches(name, known, n=1)
        if meant and arguments[0] not in known:
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(map(repr, meant))}?", ctx=error.ctx) from None
        raise
