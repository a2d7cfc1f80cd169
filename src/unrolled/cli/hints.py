"""Guesses at what was meant where an option or a command has another name here."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import click

_OPTIONS = {
    "learning-rate": "lr",
    "batch": "batch-size bs batchsize train-batch-size",
    "hidden": "hidden-size hidden-dim rnn-size units hidden-units num-units size d-model",
    "layers": "num-layers n-layers depth nlayers",
    "embedding": "embedding-size embedding-dim embed-dim emb-size word-vec-size input-size",
    "window": "bptt seq-length seq-len sequence-length max-seq-length chunk-size",
    "cell": "rnn-type cell-type model rnn",
    "epochs": "num-epochs n-epochs max-epochs num-train-epochs",
    "updates": "max-steps train-steps steps max-updates max-update iterations max-iter num-steps",
    "clip": "max-grad-norm clip-norm grad-clip gradient-clip gradient-clip-val clip-grad",
    "accumulate": "accum-count update-freq gradient-accumulation-steps accumulate-grad-batches grad-accum",
    "average": "ema ema-decay moving-average",
    "patience": "early-stopping early-stop",
    "best-by": "metric monitor best-metric metric-for-best-model",
    "held-out": "val-size valid-size test-size validation-split val-frac dev-size",
    "validation": "valid val dev valid-data dev-data eval-data",
    "out": "output output-dir save-dir save-model model-dir o",
    "resume": "continue restore restore-file train-from resume-from checkpoint",
    "from": "init-from init-from-run pretrained finetune fine-tune finetune-from-model",
    "beam": "beam-size num-beams beam-width",
    "device": "gpu cuda gpus gpuid",
    "threads": "num-threads num-workers workers cpus",
    "precision": "fp16 bf16 half amp",
    "seed": "random-seed random-state",
    "weight-decay": "wd l2",
    "warmup": "warmup-steps warmup-updates num-warmup-steps",
    "evaluations": "valid-steps eval-steps eval-every",
    "length": "max-length max-new-tokens max-len num-chars n",
    "count": "num-samples num-return-sequences nsamples",
    "top-k": "k topk",
    "top-p": "p nucleus topp",
    "prompt": "primetext prefix-text start",
    "bidirectional": "bidir brnn birnn",
    "vocabulary": "vocab-size vocab max-vocab",
    "vectors": "embeddings pretrained-embeddings word-vectors glove",
    "class-weights": "class-weight weighted balanced",
    "quiet": "q silent verbose",
}
"""By the names of options those that other toolkits have for them."""

_COMMANDS = {
    "lm": "language-model language-modelling language-modeling char-rnn text generate",
    "classify": "classification classifier",
    "tag": "tagging tagger ner pos",
    "regress": "regression regressor",
    "forecast": "forecasting forecaster",
    "translate": "translation translator seq2seq",
    "transcribe": "transcription asr speech",
    "predict": "infer inference test label translate",
    "evaluate": "eval validate test",
    "sample": "generate write",
    "train": "fit learn",
    "show": "cells cell",
    "doctor": "info version",
    "tune": "search sweep hyperopt optimize optimise",
    "runs": "list ls",
}
"""By the names of commands other words for them."""


def hinted(error: click.NoSuchOption, known: Collection[str]) -> click.NoSuchOption:
    """The error with the option that was meant, if its name is one that other toolkits have."""
    name = error.option_name.lstrip("-").replace("_", "-").lower()
    meant = [f"--{ours}" for ours, theirs in _OPTIONS.items() if name in theirs.split() and f"--{ours}" in known]
    if meant:
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
        meant = [ours for ours, theirs in _COMMANDS.items() if name in theirs.split() and ours in known]
        meant = meant or difflib.get_close_matches(name, known, n=1)
        if meant and arguments[0] not in known:
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(map(repr, meant))}?", ctx=error.ctx) from None
        raise
