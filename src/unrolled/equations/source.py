"""A recurrence as one text that holds all of it, for other processes and for what is kept on disk."""

import json

from unrolled.equations.declarations import declarations
from unrolled.equations.parse import parse
from unrolled.equations.recurrence import Recurrence
from unrolled.equations.typeset import to_text


def to_source(recurrence: Recurrence) -> str:
    """The declarations and the output as a line of JSON, then the equations; `from_source` gives the same recurrence back."""
    head = {"output": recurrence.states[: recurrence.outputs], **recurrence.declared.plain()}
    return f"{json.dumps(head)}\n{to_text(recurrence)}"


def from_source(source: str) -> Recurrence:
    """The recurrence that `to_source` wrote."""
    head, _, text = source.partition("\n")
    given = json.loads(head)
    outputs = given.pop("output")
    return parse(text, outputs, declarations("of a kernel", **given))
