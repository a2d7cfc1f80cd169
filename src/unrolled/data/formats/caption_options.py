"""What one can ask of the reading of pictures and videos with sentences."""

from dataclasses import dataclass, fields
from typing import ClassVar

from unrolled.data.formats.bad_rows import ERROR, HELP, require_known
from unrolled.options import option


@dataclass(frozen=True)
class CaptionOptions:
    """How pictures and their sentences are read. `sentences_needed` says whether a picture must have one."""

    sentences_needed: ClassVar[bool] = True

    input: str | None = option(
        None, "Column or key with the files of pictures or videos.  [default: image, file or the like, or the one that names such files]"
    )
    target: str | None = option(None, "Column or key with the sentences.  [default: caption, sentence, text or the like]")
    images: str | None = option(None, "Folder in which the pictures, videos or features lie.  [default: beside DATA]")
    part: str | None = option(
        None, "Split to read where a column or key named split has it: train (with restval), val or test.  [default: all]"
    )
    bad_rows: str = option(ERROR, HELP, rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)

    def __post_init__(self) -> None:
        require_known(self.bad_rows)

    def resolved(self) -> "CaptionOptions":
        """The same: nothing is open."""
        return self

    def to_predict(self) -> "CaptionOptions":
        """The same for pictures whose sentences may be missing."""
        return WithoutSentences(**{field.name: getattr(self, field.name) for field in fields(self)})


class WithoutSentences(CaptionOptions):
    """How pictures are read that may have no sentences."""

    sentences_needed: ClassVar[bool] = False
