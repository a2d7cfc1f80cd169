"""Event logs as corpora: which cases are learnt and held out, in which order, and what goes wrong."""

from pathlib import Path

import pytest

from unrolled.data.codecs import TextCodec
from unrolled.data.columns import Mapped
from unrolled.data.corpus import Corpus
from unrolled.data.event_corpus import encode_events, prepare_events
from unrolled.data.formats import ReadingOptions
from unrolled.data.vocabulary import END, UNKNOWN
from unrolled.errors import ConfigError, DataError

UNTIMED = ReadingOptions(case="who", activity="what")
TIMED = ReadingOptions(case="who", activity="what", time="when")


def log(path: Path, cases: int = 10) -> Path:
    """Cases c0, c1, … whose rows are mixed; the later one stands in the file, the earlier it began."""
    opened = [f"c{i},Take in charge,{100 - i}" for i in range(cases)]
    closed = [f"c{i},close {i % 3},{200 + i}" for i in range(cases)]
    path.write_text("\n".join(["who,what,when", *opened, *closed]), encoding="utf-8")
    return path


def shown(part: Mapped, codec: TextCodec) -> list[str]:
    """The lines of a part, each of which must have its end."""
    text = codec.decode(part.read(0, len(part)))
    assert text.endswith("\n")
    return text.splitlines()


def held(found: Corpus) -> list[str]:
    return shown(found.held_out, found.codec)


def test_each_case_is_a_line_and_the_last_tenth_of_the_cases_is_held_out(tmp_path: Path) -> None:
    found = prepare_events(log(tmp_path / "log.csv"), UNTIMED)
    assert shown(found.train, found.codec) == [f'"Take in charge" "close {i % 3}"' for i in range(9)]
    assert held(found) == ['"Take in charge" "close 0"']
    assert found.codec.symbols == (UNKNOWN, END, "Take in charge", "close 0", "close 1", "close 2")


def test_cases_come_in_order_of_their_first_events_where_times_are_named(tmp_path: Path) -> None:
    found = prepare_events(log(tmp_path / "log.csv"), TIMED, held_out=0.3)
    assert held(found) == [f'"Take in charge" "close {i}"' for i in (2, 1, 0)]


def test_another_log_is_held_out_with_what_it_lacks_unknown(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("what,who,when\nreopen,x,3\nTake in charge,x,2\n", encoding="utf-8")
    found = prepare_events(log(tmp_path / "log.csv", 3), TIMED, validation=other, size=4)
    assert held(found) == ['"Take in charge" <UNK>']
    assert (len(found.train), found.codec.size) == (9, 4)
    tokens = encode_events(other, found.codec, UNTIMED)
    assert shown(tokens, found.codec) == ['<UNK> "Take in charge"']


def test_fingerprints_are_those_of_the_events_and_not_of_the_files(tmp_path: Path) -> None:
    path = log(tmp_path / "log.csv")
    first, again = prepare_events(path, UNTIMED), prepare_events(path, UNTIMED, held_out=0.2)
    assert first.fingerprint == again.fingerprint != prepare_events(path, TIMED).fingerprint
    copy = tmp_path / "copy.csv"
    copy.write_text(path.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    assert prepare_events(copy, UNTIMED).fingerprint == first.fingerprint
    assert prepare_events(copy, UNTIMED, validation=path).fingerprint != first.fingerprint


@pytest.mark.parametrize("name", ["<EOS>", "<unk>"])
def test_activities_named_like_what_is_none_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"who,what\na,open\na,{name}\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"log\.csv, line 3: '{name}' stands for"):
        prepare_events(path, UNTIMED)


def test_too_few_cases_and_a_part_that_is_none_are_refused(tmp_path: Path) -> None:
    path = log(tmp_path / "log.csv", 1)
    with pytest.raises(DataError, match="0 tokens for train"):
        prepare_events(path, UNTIMED)
    with pytest.raises(ConfigError, match="held_out"):
        prepare_events(path, UNTIMED, held_out=1.0)
