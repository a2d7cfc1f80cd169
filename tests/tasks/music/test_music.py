"""Networks for music: what they learn from, what is measured, and what they write."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli
from unrolled.data.codecs.music import learn_codec
from unrolled.data.music.events import elements, is_event
from unrolled.data.music.frames import to_frames
from unrolled.data.music.midi import read_midi
from unrolled.data.music.piece import LOWEST, Piece
from unrolled.data.music.rolls import read_rolls
from unrolled.data.music.streams import PieceStreams
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.music.options import MusicDataOptions
from unrolled.tasks.music.reading import read_music_data
from unrolled.tasks.music.writing import draw_piece, write_piece
from unrolled.training import Silent

ROLLS = "rolls.npz"


def losses(trained, frames):
    """The nats of each frame, one after the other, by hand."""
    model, state, found = trained.model, None, []
    before = torch.zeros(1, 1, 89)
    before[..., 88] = 1
    for frame in torch.from_numpy(frames).float():
        with torch.no_grad():
            scores, state = model(before, state)
        found.append(model.head.losses(scores[0, 0], frame).item())
        before = torch.cat([frame, torch.zeros(1)])[None, None]
    return np.array(found)


def test_what_is_measured_is_the_loss_of_every_frame_of_pieces_that_begin_anew(frames, data):
    pieces = [to_frames(piece, 4)[0] for piece in frames.read(data / ROLLS)]
    each = [losses(frames, piece) for piece in pieces]
    found = frames.evaluate(data / ROLLS).to_json()
    assert found["nats_per_frame"] == pytest.approx(np.concatenate(each).mean(), rel=1e-4)
    assert found["nats_per_frame_without_first"] == pytest.approx(np.concatenate([one[1:] for one in each]).mean(), rel=1e-4)
    assert (found["frames"], found["pieces"]) == (72, 3)
    assert found["notes"] == sum(len(piece.notes) for piece in frames.read(data / ROLLS))
    assert frames.score(frames.read(data / ROLLS)[0]) == pytest.approx(-each[0].sum(), rel=1e-4)


def test_the_surprise_of_a_note_is_that_of_its_key_where_it_begins(frames, data):
    piece = frames.read(data / ROLLS)[0]
    seen, nats = frames.surprise(piece)
    assert np.array_equal(seen.notes[:, :3], piece.notes[:, :3]) and (nats > 0).all()
    steps = to_frames(piece, 4)[0]
    first = steps[:1].copy()
    first[0, int(piece.notes[0, 2]) - LOWEST + 1 :] = 0
    begun = torch.zeros(1, 1, 89)
    begun[..., 88] = 1
    with torch.no_grad():
        odds = frames.model.head.logits(frames.model(begun)[0], torch.from_numpy(first)[:, None])
    assert nats[0] == pytest.approx(float(torch.nn.functional.softplus(-odds[0, 0, int(piece.notes[0, 2]) - LOWEST])), rel=1e-4)


def test_events_are_measured_with_the_end_of_each_tune(events, data):
    found = events.evaluate(data / "tunes" / "all.abc")
    pieces = [events.codec.encode(piece) for piece in events.read(data / "tunes")]
    nats = 0.0
    for ids in pieces:
        symbols = torch.from_numpy(np.append(events.codec.end, ids))
        with torch.no_grad():
            logits = events.model(symbols[:-1, None])[0][:, 0]
        nats += float(torch.nn.functional.cross_entropy(logits, symbols[1:], reduction="sum"))
    assert found.steps == sum(map(len, pieces)) and found.to_json()["bits_per_event"] == pytest.approx(
        nats / found.steps / np.log(2), rel=1e-4
    )
    _, surprise = events.surprise(events.read(data / "tunes")[0])
    assert len(surprise) == len(events.read(data / "tunes")[0].notes)


def test_independent_keys_have_another_head(data, tmp_path):
    trained = un.train_musician(data / ROLLS, out=tmp_path / "r", display=Silent(), output="independent", hidden=4, epochs=1, window=8)
    assert type(trained.model.head).__name__ == "IndependentKeys" and np.isfinite(trained.evaluate(data / ROLLS).nats)


def test_streams_hold_every_piece_moved_as_a_whole(frames):
    pieces = [np.eye(88, dtype=np.uint8)[[40, 41, 42]], np.eye(88, dtype=np.uint8)[[50, 51]], np.eye(88, dtype=np.uint8)[[0]]]
    streams = PieceStreams(frames.codec, pieces, 1, 4, 0, transpose=3)
    moved = set()
    for epoch in range(20):
        streams.begin(epoch)
        inputs, targets = (
            torch.cat(parts)[:, 0] for parts in zip(*((w["numbers"], w.targets) for w in map(streams.get, (0, 1))), strict=True)
        )
        starts = (inputs[:, 88] == 1).nonzero()[:, 0].tolist()
        keys = targets.argmax(-1).tolist()
        for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
            assert keys[start:stop] == [*range(keys[start], keys[start] + stop - start)]
            assert torch.equal(inputs[start + 1 : stop, :88], targets[start : stop - 1].float())
            moved.add((stop - start, keys[start]))
    assert {key for length, key in moved if length == 3} == {*range(37, 44)} and {key for length, key in moved if length == 1} == {
        0,
        1,
        2,
        3,
    }


@pytest.mark.parametrize("end", [".mid", ".abc"])
def test_what_is_sampled_is_written_and_read_again(frames, tmp_path, end):
    (piece,) = frames.sample(seed=3, length=2)
    write_piece(piece, tmp_path / f"a{end}")
    (again,) = frames.read(tmp_path / f"a{end}")
    steps = to_frames(piece, 4)[0]
    assert len(steps) == 32 and steps.any()
    assert np.array_equal(to_frames(again, 4)[0], steps[: len(to_frames(again, 4)[0])])


def test_the_same_seed_writes_the_same_and_a_prompt_stands_first(frames, data, tmp_path):
    first, other = frames.sample(seed=1, length=1), frames.sample(seed=2, length=1)
    assert np.array_equal(first[0].notes, frames.sample(seed=1, length=1)[0].notes)
    assert not np.array_equal(first[0].notes, other[0].notes)
    write_piece(frames.read(data / ROLLS)[0], tmp_path / "start.mid")
    (found,) = frames.sample(prompt=str(tmp_path / "start.mid"), length=1, seed=0)
    assert (
        np.array_equal(to_frames(found, 4)[0][:24], to_frames(frames.read(data / ROLLS)[0], 4)[0]) and found.length * 4 == 40 * found.ticks
    )


VOICES = Piece(
    np.array([[0, 2, 60, 0], [2, 4, 60, 0], [4, 16, 62, 0], [0, 8, 48, 1], [8, 16, 50, 1], [0, 16, 55, 2]]),
    4, 16, (3, 4), fifths=2, tempo=90.0,
)  # fmt: skip


def notes_in(piece):
    """When notes begin and end, in quarter notes, and their pitches."""
    return sorted((begin / piece.ticks, end / piece.ticks, pitch) for begin, end, pitch, _ in piece.notes.tolist())


@pytest.mark.parametrize(
    ("given", "voices", "holds"),
    [
        ("highest", [0], lambda frame: max(frame) <= 62),
        ("bass", [1], lambda frame: min(frame) >= 48),
        ("3", [2], lambda frame: 55 in frame),
        ("all", [0, 1, 2], lambda frame: max(frame) <= 62),
    ],
)
def test_a_voice_is_harmonised_and_stays_as_it_was(frames, tmp_path, given, voices, holds):
    write_piece(VOICES, tmp_path / "a.mid")
    (found,) = frames.sample(harmonise=str(tmp_path / "a.mid"), given=given, particles=8, seed=0)
    kept = notes_in(VOICES.with_voices(voices))
    assert all(note in notes_in(found) for note in kept) and len(found.notes) > len(kept)
    assert (found.meter, found.fifths, round(found.tempo)) == ((3, 4), 2, 90)
    steps = to_frames(found, 4)[0]
    assert len(steps) == 16 and all(holds(np.flatnonzero(frame) + LOWEST) for frame in steps)


def test_voices_that_a_file_has_not_are_refused(frames, tmp_path):
    write_piece(VOICES, tmp_path / "a.mid")
    with pytest.raises(ConfigError, match="`given` must be voices that the file has, from 1 to 3, got 9"):
        frames.sample(harmonise=str(tmp_path / "a.mid"), given="9")


def test_what_is_gone_on_with_keeps_its_notes_key_and_tempo(frames, events, tmp_path):
    write_piece(VOICES, tmp_path / "a.mid")
    for trained in (frames, events):
        (found,) = trained.sample(prompt=str(tmp_path / "a.mid"), length=1, seed=0)
        begun = [note for note in notes_in(found) if note[0] < 4]
        assert [(begin, pitch) for begin, _, pitch in begun] == [(begin, pitch) for begin, _, pitch in notes_in(VOICES)]
        assert all(now[1] == end or (end == 4 and now[1] > 4) for now, (_, end, _) in zip(begun, notes_in(VOICES), strict=True))
        assert (found.fifths, round(found.tempo), found.meter) == (2, 90, (3, 4))
    assert round(frames.sample(prompt=str(tmp_path / "a.mid"), length=1, tempo=70.0)[0].tempo) == 70


def test_tempos_of_what_is_gone_on_with_or_harmonised_stay(frames, events, tmp_path):
    write_piece(replace(VOICES, tempos=((0, 90.0), (8, 60.0))), tmp_path / "a.mid")
    ways = [(frames, "prompt"), (events, "prompt"), (frames, "harmonise")]
    for trained, way in ways:
        (found,) = trained.sample(**{way: str(tmp_path / "a.mid")}, length=1 if way == "prompt" else None, seed=0)
        assert [(begin / found.ticks, round(tempo)) for begin, tempo in found.tempos] == [(0, 90), (2, 60)]
        # Two quarter notes go by at 90 in a minute, and the others at 60.
        quarters = found.length / found.ticks
        assert found.tempo == pytest.approx(quarters / (2 / 90 + (quarters - 2) / 60), rel=1e-4)
        (found,) = trained.sample(**{way: str(tmp_path / "a.mid")}, length=1 if way == "prompt" else None, seed=0, tempo=70.0)
        assert found.tempos == () and found.tempo == 70


def test_notes_of_a_common_key_are_moved_back(data, tmp_path):
    trained = un.train_musician(data / ROLLS, out=tmp_path / "r", display=Silent(), common_key=True, hidden=4, epochs=1, window=8)
    write_piece(VOICES, tmp_path / "a.mid")
    for how in ("prompt", "harmonise"):
        (found,) = trained.sample(**{how: str(tmp_path / "a.mid")}, seed=0)
        assert (0.0, 0.5, 60) in notes_in(found) and found.fifths == 2
    # From C major down to A.
    (plain,), (found,) = (trained.sample(seed=0, length=2, key=key) for key in (None, "A"))
    assert plain.fifths == 0 and found.fifths == 3 and np.array_equal(found.notes[:, 2], plain.notes[:, 2] - 3)


def test_sampled_events_are_such_and_begin_as_they_are_asked_to(events):
    for piece in events.sample(seed=0, length=4, key="D", meter="3/4", count=3):
        assert piece.events[:2] == ("M:3/4", "K:2") and all(map(is_event, piece.events))
        sounds = sum(event[0] in "nr" for event in piece.events)
        assert sum(not isinstance(element, str) for element in elements(piece.events)) == sounds == sum(e[0] == "=" for e in piece.events)


def test_frames_are_moved_to_a_key(frames):
    (found,) = frames.sample(seed=0, length=2, key="Eb")
    assert found.fifths == -3 and not found.minor


def test_all_pieces_in_one_key(data, tmp_path):
    trained = un.train_musician(
        data / "tunes", out=tmp_path / "r", display=Silent(), view="events", common_key=True, hidden=4, epochs=1, window=8, held_out=0.2
    )
    assert {name for name in trained.codec.vocabulary.names if name.startswith("K:")} == {"K:0", "K:0m"}
    (plain,), (found,) = (trained.sample(seed=0, length=2, key=key) for key in (None, "A"))
    assert all(event in ("K:3", "K:3m") for event in found.events if event.startswith("K:"))
    assert len(plain.notes) and np.array_equal(found.notes[:, 2], plain.notes[:, 2] - 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "`length` must be at least 1, got 0"),
        ({"tempo": 5.0}, "`tempo` must be from 10 to 1000 quarter notes a minute, got 5.0"),
        ({"key": "H"}, "`key` must be a key such as G, Bb or Am, got 'H'"),
        ({"meter": "3"}, "`meter` must be one such as 3/4 or 6/8, got '3'"),
        ({"harmonise": "a.mid", "length": 3}, "Leave `prompt` and `length` out"),
        ({"temperature": -1.0}, "`temperature` must be a number of at least 0"),
    ],
)
def test_samples_that_cannot_be_are_refused(frames, options, message):
    with pytest.raises(ConfigError, match=message):
        frames.sample(**options)


def test_events_refuse_what_they_have_not_learnt(events):
    with pytest.raises(ConfigError, match=r"`meter` must be one that the network has learnt: 6/8, 3/4; got 5/4"):
        events.sample(meter="5/4")
    with pytest.raises(ConfigError, match="is for networks of frames"):
        events.sample(harmonise="a.mid")


def test_events_name_keys_and_refuse_another_beginning_than_that_of_the_prompt(events, data):
    with pytest.raises(ConfigError, match=r"`key` must be one that the network has learnt: .*\bD\b.*; got E"):
        events.sample(key="E")
    with pytest.raises(ConfigError, match="`key` and `meter` begin a tune, and that of `prompt` has begun"):
        events.sample(prompt=str(data / "tunes" / "all.abc"), key="D")


def test_notes_outside_the_piano_are_counted(frames, tmp_path):
    write_piece(Piece(np.array([[0, 4, 60, 0], [4, 8, 20, 0], [4, 8, 110, 0]]), 4, 8), tmp_path / "a.mid")
    with pytest.warns(UnrolledWarning, match="2 notes outside the 88 keys of a piano are left out. The first: .*a.mid"):
        frames.read(tmp_path / "a.mid")
    moved = learn_codec("frames", 4, [], common_key=True)
    assert moved.outside(Piece(np.array([[0, 4, 21, 0]]), 4, 4, fifths=5)) == 0
    assert moved.outside(Piece(np.array([[0, 4, 21, 0], [0, 4, 108, 0]]), 4, 4, fifths=5)) == 1


def test_what_is_held_out_of_a_divided_file_is_its_valid_part(data):
    read = read_music_data(MusicDataOptions(sources=(str(data / ROLLS),)), 0, lambda *_: None)
    valid = [to_frames(piece, 4)[0] for piece in read_rolls(data / ROLLS, "valid", 4)]
    assert len(read.learnt) == 6 and len(read.held) == 2 and all(map(np.array_equal, read.held, valid))


@pytest.mark.parametrize(("part", "learnt", "held"), [("train", 5, 1), ("test", 2, 1)])
def test_of_a_divided_file_without_a_part_to_choose_by_a_tenth_is_held_out(data, tmp_path, part, learnt, held):
    with np.load(data / ROLLS) as archive:
        np.savez(tmp_path / "two.npz", train=archive["train"], test=archive["test"])
    read = read_music_data(MusicDataOptions(sources=(str(tmp_path / "two.npz"),), part=part), 0, lambda *_: None)
    assert (len(read.learnt), len(read.held)) == (learnt, held)


def test_a_part_of_what_is_not_divided_is_told(data):
    tune = next(path for path in data.rglob("*") if path.suffix in (".mid", ".abc"))
    with pytest.raises(ConfigError, match=r"`part='valid'` is of a file that is divided, and .* not\. Leave it out"):
        read_music_data(MusicDataOptions(sources=(str(tune),), part="valid"), 0, lambda *_: None)


def test_what_is_chosen_by_is_not_learnt_where_it_is_the_part_to_learn(data):
    read = read_music_data(MusicDataOptions(sources=(str(data / ROLLS),), part="valid"), 0, lambda *_: None)
    assert (len(read.learnt), len(read.held)) == (1, 1)


def test_a_broken_file_beside_a_good_one_is_left_out(data, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.warns(UnrolledWarning, match="1 files are left out. The first: .*bad.npz"):
        read = read_music_data(MusicDataOptions(sources=(str(data / ROLLS), str(tmp_path / "bad.npz"))), 0, lambda *_: None)
    assert len(read.learnt) == 6


def test_what_cannot_be_read_is_counted_and_the_rest_is_learnt(data, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "good.abc").write_text((data / "tunes" / "all.abc").read_text())
    (folder / "bad.abc").write_text("X:1\nM:4/4\nCDE\n\nX:2\nK:C\nz4\n\nX:3\nK:C\n|:C4|\n")
    (folder / "empty.mid").write_bytes(b"")
    with pytest.warns(UnrolledWarning) as told:
        un.train_musician(folder, out=tmp_path / "r", display=Silent(), hidden=4, epochs=1, window=8)
    texts = [str(one.message) for one in told]
    assert any("1 pieces are left out. The first: " in text and "bad.abc, line 1: the tune has no K:" in text for text in texts)
    assert any("1 repeats are not closed" in text and "bad.abc, line 9" in text for text in texts)
    assert any("as they have no notes" in text for text in texts) and any(
        "1 files are left out" in text and "empty.mid" in text for text in texts
    )


def test_where_nothing_is_left_to_learn_it_is_said(tmp_path):
    (tmp_path / "a.abc").write_text("X:1\nK:C\nC\n")
    with pytest.raises(DataError, match="There are 1 pieces to learn and 0 to hold out"):
        un.train_musician(tmp_path / "a.abc", out=tmp_path / "r", display=Silent())
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="has no files of music in it"):
        un.train_musician(tmp_path / "none", out=tmp_path / "r", display=Silent())


def test_a_run_goes_on_where_it_was(data, run, frames, tmp_path):
    options = {"hidden": 6, "evaluations": 1, "batch": 2, "window": 8, "transpose": 2, "display": Silent()}
    whole = un.train_musician(data / ROLLS, out=tmp_path / "a", epochs=2, final_rate=1.0, warmup=0, **options)
    un.train_musician(data / ROLLS, out=tmp_path / "b", epochs=1, final_rate=1.0, warmup=0, **options)
    again = un.train_musician(out=tmp_path / "b", resume=True, epochs=2, display=Silent())
    assert all(torch.equal(one, other) for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True))


def test_the_terminal_samples_scores_evaluates_and_inspects(data, run, frames, events, tmp_path):
    files = {end: tmp_path / f"a{end}" for end in (".mid", ".wav", ".png")}
    said = call(
        "sample", run / "frames", "--out", files[".mid"], "--wav", files[".wav"], "--picture", files[".png"], "--length", 1, "--seed", 0
    )
    assert "notes: " in said and all(file.stat().st_size > 100 for file in files.values())
    assert read_midi(files[".mid"])[0].notes.size
    assert call("sample", run / "events", "--length", 2, "--seed", 0).startswith("X:1\nT:Tune\nM:")
    found = json.loads(call("evaluate", run / "frames", data / ROLLS, "--json", "--part", "valid"))
    assert found["pieces"] == 2 and found["nats_per_frame"] > 0
    (scored,) = json.loads(call("score", run / "frames", data / ROLLS, "--json", "--picture", tmp_path / "b.svg"))
    assert scored["file"].endswith(ROLLS) and scored["log_probability"] < 0 and (tmp_path / "b.svg").exists()


def test_some_voices_are_learnt_and_measured_alone(frames, tmp_path):
    notes = np.array([[0, 4, 60, 0], [0, 4, 67, 1], [4, 8, 64, 1]])
    write_piece(Piece(notes, 4, 8), tmp_path / "a.mid")
    (found,) = frames.read(tmp_path / "a.mid", voices="2")
    assert found.notes[:, 2].tolist() == [67, 64] and len(frames.read(tmp_path / "a.mid")[0].notes) == 3
    with pytest.raises(ConfigError, match="`voices` must be numbers from 1 on"):
        frames.read(tmp_path / "a.mid", voices="0")


def test_a_piece_that_never_ends_is_left_out(frames, tmp_path):
    write_piece(Piece(np.array([[0, 1, 60, 0], [900_000, 900_001, 60, 0]]), 4, 900_001), tmp_path / "a.mid")
    with pytest.warns(UnrolledWarning, match="longer than 200,000 quarter notes"), pytest.raises(DataError, match="There are no notes in"):
        frames.read(tmp_path / "a.mid")


def test_files_of_music_are_known_by_their_names(data):
    found = un.look(data / "tunes")
    assert found.task.task == "music" and found.overview.learnt == 11 and "12" not in found.command
    assert un.look(data / "tunes" / "all.abc", view="events").overview.inputs == ("events",)


@pytest.mark.parametrize("name", ["frames", "events"])
def test_a_page_looks_into_a_network(data, run, frames, events, tmp_path, name):
    said = json.loads(call("inspect", run / name, "--steps", 20, "--out", tmp_path / "p.html", "--json"))
    assert said["gradient"]["rate"] is not None and (tmp_path / "p.html").stat().st_size > 1000


@pytest.mark.parametrize(
    ("flag", "value", "message"), [("--out", "a.txt", "must end in .mid, .midi, .abc, .wav"), ("--picture", "a.mid", "must end in")]
)
def test_files_that_are_not_written_are_refused_first(run, frames, flag, value, message):
    found = CliRunner().invoke(cli, ["sample", str(run / "frames"), flag, value])
    assert found.exit_code and message in str(found.exception)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"--wav": "b.mid"}, "`wav` must end in .wav, got b.mid"),
        ({"--out": "a.wav", "--wav": "./a.wav"}, "must be different files"),
    ],
)
def test_files_of_sound_are_such_and_apart(run, frames, files, message):
    found = CliRunner().invoke(cli, ["sample", str(run / "frames"), *(part for pair in files.items() for part in pair)])
    assert found.exit_code and message in str(found.exception)


def test_figures_say_their_units(frames, events, data):
    assert "nats per frame without the first" in frames.evaluate(data / ROLLS).text and "of the keys" in frames.evaluate(data / ROLLS).text
    text = events.evaluate(data / "tunes").text
    assert "bits per event" in text and "nats per note" in text and "of the events" in text


def test_a_picture_has_its_bars_after_the_pickup(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr("unrolled.tasks.music.writing.save_picture", lambda figure, path: drawn.append(figure))
    notes = np.array([[0, 6, 60, 0], [6, 60, 64, 0]])
    draw_piece(Piece(notes, ticks=6, length=60, meter=(3, 4), pickup=6), np.ones(2), tmp_path / "a.png")
    assert [line.get_xdata()[0] for line in drawn[0].axes[0].lines] == [1, 4, 7]
