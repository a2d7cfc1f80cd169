"""C identifiers for the symbols of a plan."""

import re
from collections.abc import Iterable

# C's own words, and what stages call their own variables.
_RESERVED = frozenset((
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float", "for", "goto", "if",
    "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
    "unsigned", "void", "volatile", "while", "asm", "typeof", "main",
    "SIZES", "run", "span", "call", "tape", "stride", "row", "rows", "vector", "vectors", "first", "at", "inputs", "block_", "blocks_", "end_", "once_",
))  # fmt: skip

_PLACE = re.compile(r"\d|(SIZE|PARAMETER|STATE|ROW_VECTOR|PANEL|AT|GATES?|PROLOGUE|FORWARD|BACKWARD|EPILOGUE|sums|maps)_")
"""How no name begins: those that do are of places."""


def defined_names(text: str) -> set[str]:
    """The functions, types and macros that C source defines for all that follows it, and the macros that it reads, which are in capitals."""
    macros = re.findall(r"\b[A-Z][A-Z0-9_]+\b|(?<=^#define )\w+", text, re.M)
    functions = re.findall(r"^(?:static|INLINE|void|long|int)\b[^;={]*?\b(\w+)\(", text, re.M)
    types = re.findall(r"^typedef [^{]*?\b(\w+)(?: __attribute__.*)?;|^\} (\w+);", text, re.M)
    return {*macros, *functions, *(name for pair in types for name in pair if name)}


class Names:
    """One identifier for each symbol, readable and never the same for two."""

    def __init__(self, plain: Iterable[object] = (), taken: Iterable[str] = (), *, one_size: bool = False) -> None:
        """`plain` are those that get the plain names, whatever comes later; `taken` are names that nothing may have."""
        self._one_size = one_size
        self._of: dict[str, str] = {}
        self._taken: set[str] = {*_RESERVED, *taken}
        for symbol in plain:
            self(symbol)

    def __call__(self, symbol: object) -> str:
        """The identifier: `c[t]` is `c`, `c[t-1]` is `c_before`, `R_f @ h[t-1]` is `R_f_h_before`."""
        text = str(symbol)
        if text not in self._of:
            self._of[text] = self.new(text)
        return self._of[text]

    @property
    def given(self) -> list[str]:
        """All identifiers so far."""
        return list(self._of.values())

    def of_size(self, label: str) -> str:
        """The identifier of a size: `inputs`, and `units` where all other sizes are one, else `units_h`."""
        if label == "x":
            return "inputs"
        key = f"units of {label}"
        if key not in self._of:
            self._of[key] = self.new("units" if self._one_size else f"units {label}")
        return self._of[key]

    def new(self, text: object) -> str:
        """One that is for nothing else, not even for the same text another time."""
        name = candidate = _readable(str(text))
        count = 2
        while candidate in self._taken:
            candidate, count = f"{name}_{count}", count + 1
        self._taken.add(candidate)
        return candidate


def _readable(text: str) -> str:
    text = text.replace("[t-1]", "_before").replace("[t]", "").replace(" @ ", "_").replace("'", "_more")
    text = re.sub(r"[^0-9A-Za-z_]", lambda m: f"u{ord(m[0]):x}" if m[0].isalnum() else "_", text)
    text = re.sub(r"_+", "_", text).strip("_") or "value"
    return f"v{text}" if _PLACE.match(text) else text
