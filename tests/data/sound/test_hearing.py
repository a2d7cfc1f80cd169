"""What is said of parts of recordings."""

import pytest

from unrolled.data.codecs import SoundCodec
from unrolled.data.sound.hearing import Hearing
from unrolled.errors import DataError


def test_spans_become_tags_and_may_not_go_on_after_the_recording() -> None:
    hearing = Hearing(SoundCodec.choose(16000, mels=8))
    assert hearing.tags([(0.02, 0.04, "a"), (0.08, 0.3, "b")], 10, "x") == ("O", "O", "a", "a", *"OOOO", "b", "b")
    for begin, end in ((0.05, 0.7), (0.2, 0.3)):
        with pytest.raises(
            DataError, match=rf"x: the span {begin} to {end} \(c\) ends after the recording, which lasts 0\.100 s\. Mend the span"
        ):
            hearing.tags([(begin, end, "c")], 10, "x")
