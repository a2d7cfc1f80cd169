"""A report as numbers and as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from unrolled.errors import DataError
from unrolled.inspect.report.parts import Drawing, Graph, Part

_UNSEEN: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: 0x2421,
    **{code: f"[U+{code:04X}]" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}
"""Signs for characters that control terminals, or the direction in which a text is set."""


@dataclass(frozen=True, eq=False)
class Section:
    """What one question gives: `shows` says what there is to see, `verdict` what it means here; `numbers` can be written as JSON."""

    name: str
    title: str
    shows: str
    verdict: str
    parts: Sequence[Part] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """A section of the page."""
        parts = "\n".join(part.html() for part in self.parts)
        verdict = f'<p class="verdict">{escape(self.verdict)}</p>'
        head = f'<h2>{escape(self.title)}</h2>{verdict}<p class="shows">{escape(self.shows)}</p>'
        return f'<section id="{self.name}">{head}<div class="parts">{parts}</div></section>'


@dataclass(frozen=True, eq=False)
class Report:
    """Sections about a network, under a `title`; `about` says in sentences what was looked at."""

    title: str
    about: Sequence[str]
    sections: Sequence[Section]

    def html(self) -> str:
        """The whole page."""
        brief = "".join(f'<li><a href="#{s.name}">{escape(s.title)}</a>: {escape(s.verdict)}</li>' for s in self.sections)
        template = Template(files("unrolled.inspect.report").joinpath("template.html").read_text(encoding="utf-8"))
        page = template.substitute(
            title=escape(self.title),
            about="".join(f"<p>{escape(sentence)}</p>" for sentence in self.about),
            brief=brief,
            sections="\n".join(section.html() for section in self.sections),
        )
        return page.translate(_UNSEEN)

    def save_pictures(self, folder: Path) -> list[Path]:
        """Write every picture into a folder, which is made if need be; gives the files. `DataError` if that fails."""
        pictures = [part for section in self.sections for part in section.parts if isinstance(part, (Drawing, Graph))]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [path for picture in pictures for path in picture.save(folder)]
        except OSError as error:
            raise DataError(f"The pictures could not be written to {folder}: {error.strerror or error}. Choose another folder.") from None

    def numbers(self) -> dict[str, Any]:
        """What it says, as what JSON can hold."""
        return {section.name: {"verdict": section.verdict, **section.numbers} for section in self.sections}
