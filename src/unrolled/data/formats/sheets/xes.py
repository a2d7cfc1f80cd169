"""XES, the event logs of process mining (https://xes-standard.org), as a row for each event.

The columns are those that pm4py makes of it: attributes of a trace begin with `case:`.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

from unrolled.data.opening import open_unpacked
from unrolled.errors import DataError

CASE, ACTIVITY, TIME = "case:concept:name", "concept:name", "time:timestamp"
"""The columns by which nearly every log is read."""


def xes_rows(path: Path) -> Iterator[list[str]]:
    """The names of all attributes of traces and events, those of nested ones left out, and the rows; the file is read twice."""
    names = dict.fromkeys((CASE, ACTIVITY, TIME))
    for event in _events(path):
        names.update(dict.fromkeys(event))
    yield list(names)
    for event in _events(path):
        yield [event.get(name, "") for name in names]


def _events(path: Path) -> Iterator[dict[str, str]]:
    with open_unpacked(path) as file:
        try:
            for _, element in iterparse(file, events=("end",)):
                if _tag(element) == "trace":
                    case = {f"case:{key}": value for key, value in _attributes(element).items()}
                    for event in (child for child in element if _tag(child) == "event"):
                        yield {**case, **_attributes(event)}
                    element.clear()
        except ParseError as error:
            raise DataError(f"{path}, line {error.position[0]}: this is no XML: {error}. Get the file again.") from None


def _attributes(element: Element) -> dict[str, str]:
    return {child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib and "value" in child.attrib}


def _tag(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
