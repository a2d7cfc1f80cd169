"""Texts with times as files that other programs read: subtitles (SubRip, WebVTT) and TextGrids of Praat."""

from collections.abc import Iterator, Sequence

from unrolled.tasks.transcription.transcript import Timed, Transcript

LINE = 42
"""Characters of a subtitle."""

PAUSE, LONGEST = 0.7, 6.0
"""Seconds without a word after which a new subtitle begins, and that one lasts at most."""


def captions(words: Sequence[Timed]) -> Iterator[list[Timed]]:
    """Words in groups that are shown at once."""
    group = list[Timed]()
    for word in words:
        long = group and len(" ".join(one.text for one in (*group, word))) > LINE
        if group and (long or word.begin - group[-1].end > PAUSE or word.end - group[0].begin > LONGEST):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def srt(transcript: Transcript) -> str:
    """SubRip: a number, the times, and the text of each subtitle."""
    found = [
        f"{number}\n{_clock(group[0].begin, ',')} --> {_clock(group[-1].end, ',')}\n{_said(group)}\n"
        for number, group in enumerate(captions(transcript.words), 1)
    ]
    return "\n".join(found)


def vtt(transcript: Transcript) -> str:
    """WebVTT."""
    found = [f"{_clock(group[0].begin, '.')} --> {_clock(group[-1].end, '.')}\n{_said(group)}\n" for group in captions(transcript.words)]
    return "\n".join(["WEBVTT\n", *found])


def textgrid(transcript: Transcript) -> str:
    """A TextGrid with a tier of words and one of symbols, of intervals that cover all of the time."""
    tiers = [("words", transcript.words), ("symbols", transcript.symbols)]
    head = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n{_span(transcript.seconds)}tiers? <exists>\nsize = {len(tiers)}\nitem []:\n'
    return head + "".join(_tier(number, name, parts, transcript.seconds) for number, (name, parts) in enumerate(tiers, 1))


def _tier(number: int, name: str, parts: Sequence[Timed], seconds: float) -> str:
    intervals = list(_covering(parts, seconds))
    lines = [f"    item [{number}]:", '        class = "IntervalTier"', f'        name = "{name}"']
    lines += ["        xmin = 0", f"        xmax = {seconds:.3f}", f"        intervals: size = {len(intervals)}"]
    for at, (begin, end, text) in enumerate(intervals, 1):
        quoted = text.replace('"', '""')
        lines += [
            f"        intervals [{at}]:",
            f"            xmin = {begin:.3f}",
            f"            xmax = {end:.3f}",
            f'            text = "{quoted}"',
        ]
    return "\n".join(lines) + "\n"


def _covering(parts: Sequence[Timed], seconds: float) -> Iterator[tuple[float, float, str]]:
    """Intervals of a tier, with empty ones between those that have a text."""
    last = 0.0
    for part in parts:
        begin = max(part.begin, last)
        if round(begin, 3) > round(last, 3):
            yield last, begin, ""
        yield begin, part.end, part.text
        last = part.end
    if round(seconds, 3) > round(last, 3) or not parts:
        yield last, seconds, ""


def _span(seconds: float) -> str:
    return f"xmin = 0\nxmax = {seconds:.3f}\n"


def _said(group: Sequence[Timed]) -> str:
    return " ".join(word.text for word in group)


def _clock(seconds: float, mark: str) -> str:
    """Hours, minutes, seconds and milliseconds."""
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{mark}{whole % 1000:03}"
