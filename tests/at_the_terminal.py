"""The command line, run in this process."""

import os
import signal
import threading

from click.testing import CliRunner

from unrolled.cli import cli, shown
from unrolled.errors import UnrolledError


def call(*words, typed=""):
    """What a command prints to the standard output; errors of the toolkit are raised with the words of the terminal."""
    return _done(words, typed).stdout


def notes(*words, typed=""):
    """What a command says beside it, on standard error."""
    return _done(words, typed).stderr


def interrupted(*words, when):
    """How a command ends that Ctrl-C reaches once `when()` is true: its exit code and what it prints."""
    ended = threading.Event()

    def press():
        while not ended.wait(0.02):
            if when():
                os.kill(os.getpid(), signal.SIGINT)
                break

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        return CliRunner().invoke(cli, [str(word) for word in words])
    finally:
        ended.set()
        pressing.join()


def _done(words, typed):
    result = CliRunner().invoke(cli, [str(word) for word in words], input=typed)
    if isinstance(result.exception, UnrolledError):
        raise type(result.exception)(shown(result.exception)) from result.exception
    if isinstance(result.exception, Warning):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result
