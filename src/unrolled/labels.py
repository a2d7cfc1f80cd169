"""Texts of others in pictures: names of runs, labels, symbols."""

LONGEST = 60
"""Characters of a text that a picture shows at most."""


def literal(text: str) -> str:
    """A text as matplotlib shows it as it is: without mathematics between dollars, without what is no Unicode, as names of files may hold, no longer
    than can be read, and with a blank before a first _, which would keep it out of legends."""
    shown = readable(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
    return f" {shown}" if shown.startswith("_") else shown


def readable(text: str) -> str:
    """A text without mathematics, and without what is no Unicode."""
    return text.encode("utf-8", "replace").decode().replace("$", r"\$")
