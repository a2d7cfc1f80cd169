"""Strings of spoken digits, joined from recordings of single ones, with pauses and noise: as wav files and a table to learn, and another to test.

    python benchmarks/spoken_strings.py recordings.zip strings --learn 4000 --test 1000
    unrolled train transcribe strings/learn.csv --validation strings/test.csv

The recordings are named `digit_speaker_take.wav`, as those of the Free Spoken Digit Dataset; takes 0 to 4 are for the test alone, as its
authors divide it. The digits of a string are of one speaker. `--spell` writes them as words. The column `ends` has the seconds at which each digit
is over.
"""

import csv
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
import soundfile

from unrolled.data.formats.sound_layouts import Pattern, Tree
from unrolled.data.sound.recordings import rate_of, read_samples

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

TEST_TAKES = range(5)


def read_digits(path: Path) -> tuple[int, dict[bool, dict[str, dict[int, list[np.ndarray]]]]]:
    """The rate, and the samples of all recordings: whether they are for the test, by speaker and digit."""
    tree, pattern = Tree.of(path), Pattern("{digit}_{speaker}_{take}.wav")
    rate = rate_of(tree.recording(tree.sounds[0]))
    found: dict[bool, dict[str, dict[int, list[np.ndarray]]]] = {part: defaultdict(lambda: defaultdict(list)) for part in (True, False)}
    for name in tree.sounds:
        fields = pattern.match(name)
        assert fields is not None, name
        samples = np.concatenate(list(read_samples(tree.recording(name), rate)))
        found[int(fields["take"]) in TEST_TAKES][fields["speaker"]][int(fields["digit"])].append(samples)
    return rate, found


def joined(takes: dict[int, list[np.ndarray]], chance: np.random.Generator, rate: int) -> tuple[list[int], list[float], np.ndarray]:
    """Some digits, when each is over, and the samples: from 3 to 7 digits with pauses of at most 0.3 s around and between them, and noise 20 to 40 dB below the speech."""
    digits = chance.integers(0, 10, chance.integers(3, 8)).tolist()
    pause = lambda: np.zeros(int(chance.uniform(0, 0.3) * rate), np.float32)  # noqa: E731
    pieces, ends = [pause()], list[float]()
    for digit in digits:
        samples = takes[digit][chance.integers(len(takes[digit]))]
        pieces.append(samples / max(np.abs(samples).max(), 1e-6) * chance.uniform(0.3, 0.9))
        ends.append(sum(map(len, pieces)) / rate)
        pieces.append(pause())
    whole = np.concatenate(pieces)
    loud = np.sqrt(np.mean(whole**2)) * 10 ** (-chance.uniform(20, 40) / 20)
    return digits, ends, np.clip(whole + loud * chance.standard_normal(len(whole)), -1, 1).astype(np.float32)


@click.command()
@click.argument("recordings", type=click.Path(path_type=Path, exists=True))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--learn", default=4000, help="Strings to learn.")
@click.option("--test", default=1000, help="Strings to test.")
@click.option("--seed", default=0)
@click.option("--spell", is_flag=True, help="Write digits as words.")
def main(recordings: Path, folder: Path, learn: int, test: int, seed: int, spell: bool) -> None:
    """Write FOLDER/learn.csv and FOLDER/test.csv with the strings that they name, made of the archive or folder RECORDINGS."""
    rate, digits = read_digits(recordings)
    for part, count, number in (("learn", learn, 0), ("test", test, 1)):
        chance = np.random.default_rng([seed, number])
        (folder / part).mkdir(parents=True)
        speakers = sorted(digits[part == "test"])
        with open(folder / f"{part}.csv", "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["path", "text", "speaker", "ends"])
            for place in range(count):
                speaker = speakers[chance.integers(len(speakers))]
                said, ends, samples = joined(digits[part == "test"][speaker], chance, rate)
                name = f"{part}/{place:05}.wav"
                soundfile.write(folder / name, samples, rate)
                table.writerow(
                    [name, " ".join(NAMES[d] if spell else str(d) for d in said), speaker, " ".join(f"{end:.3f}" for end in ends)]
                )
        click.echo(f"{folder / part}.csv: {count:,} strings")


if __name__ == "__main__":
    main()
