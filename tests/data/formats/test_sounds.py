"""Recordings as they lie about, with what is said of them."""

import zipfile

import pytest

from tones import tone, write
from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import labelled_examples, read_examples, resolve_format, resolve_reading
from unrolled.data.formats.options import DividedReadingOptions, ReadingOptions
from unrolled.data.formats.sound_layouts import Pattern
from unrolled.data.formats.sounds import Sounds
from unrolled.data.sound.recordings import read_samples
from unrolled.errors import ConfigError, DataError, UnrolledWarning

WAVE = tone(440, 0.05)


@pytest.fixture
def put(tmp_path):
    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            write(tmp_path / name, WAVE)
        return tmp_path

    return make


def read(source, wanted=Target.LABELS, **options):
    return list(labelled_examples(source, DividedReadingOptions(**options), wanted))


def said(examples):
    return {example.sound.path.name: example.labels[0] for example in examples}


def test_names_say_what_their_pattern_has(put):
    folder = put("3_ann_0.wav", "7_bo_12.wav")
    (folder / "README.md").write_text("about")
    examples = read(folder, pattern="{label}_{speaker}_{take}.wav", group="speaker")
    assert said(examples) == {"3_ann_0.wav": "3", "7_bo_12.wav": "7"}
    assert [example.group for example in examples] == ["ann", "bo"]
    assert said(read(folder, pattern="{digit}_{speaker}_{take}", target="speaker")) == {"3_ann_0.wav": "ann", "7_bo_12.wav": "bo"}


def test_a_pattern_may_name_folders_and_texts_have_blanks_for_underscores(put):
    folder = put("ann/1_0_1.wav")
    assert said(read(folder, Target.TEXTS, pattern="{speaker}/{text}.wav")) == {"1_0_1.wav": "1 0 1"}


def test_what_is_not_of_the_pattern_and_no_pattern_are_told(put):
    folder = put("3_ann_0.wav", "noise.wav")
    with pytest.raises(DataError, match=r"noise\.wav is not of the form '\{label\}_\{speaker\}_\{take\}\.wav'"):
        read(folder, pattern="{label}_{speaker}_{take}.wav")
    with pytest.raises(ConfigError, match=r"`pattern` has no field \{label\}; it has digit, rest"):
        read(folder, pattern="{digit}_{rest}.wav")
    for wrong in ("plain.wav", "{a}_{a}.wav", "{a}}.wav"):
        with pytest.raises(ConfigError, match="`pattern` must be a name with fields"):
            Pattern(wrong)


def test_a_folder_is_a_class_and_an_archive_is_read_like_a_folder(put, tmp_path):
    folder = put("data/yes/1.wav", "data/no/2.wav", "data/_background_/3.wav") / "data"
    assert said(read(folder)) == {"1.wav": "yes", "2.wav": "no"}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(folder.rglob("*.wav")):
            archive.write(path, path.relative_to(folder))
    assert {e.sound.member: e.labels for e in read(tmp_path / "all.zip")} == {"yes/1.wav": ("yes",), "no/2.wav": ("no",)}


def test_recordings_without_labels_are_told_what_gives_them_some(put):
    with pytest.raises(DataError, match=r"has no label\. Name a `pattern`"):
        read(put("1.wav"))


def test_a_text_lies_beside_its_recording(put):
    folder = put("a.wav", "b.wav")
    (folder / "a.txt").write_text("one two\n")
    (folder / "b.lab").write_text("three\n")
    assert said(read(folder, Target.TEXTS)) == {"a.wav": "one two", "b.wav": "three"}
    (folder / "lonely.txt").write_text("four\n")
    with pytest.warns(UnrolledWarning, match=r"lonely\.txt has no recording of the same name beside it"):
        assert len(read(folder, Target.TEXTS)) == 2
    (folder / "lonely.txt").unlink()
    (folder / "b.lab").unlink()
    with pytest.raises(DataError, match=r"b\.wav: the sequence has no text"):
        read(folder, Target.TEXTS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", "ID,duration,wav,wrd\n1,0.05,a.wav,ONE\n2,0.05,b.wav,TWO\n"),
        ("m.csv", "wav;wrd\na.wav;ONE\nb.wav;TWO\n"),
        ("m.csv", "ID,wav,wrd\n1,$data_root/a.wav,ONE\n2,{data_root}/b.wav,TWO\n"),
        ("m.tsv", "client_id\tpath\tsentence\tage\nx\ta.wav\tONE\t\ny\tb.wav\tTWO\t\n"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": "ONE", "duration": 0.05}\n{"audio_filepath": "b.wav", "text": "TWO"}\n'),
    ],
)
def test_tables_of_other_toolkits_are_known(put, name, content):
    folder = put("a.wav", "clips/b.wav")
    (folder / name).write_text(content)
    assert said(read(folder / name, Target.TEXTS)) == {"a.wav": "ONE", "b.wav": "TWO"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("wav,class\nb.wav,y\n", r"n\.csv: .*m\.csv has the target in 'label', and here it would be 'class'\. .* `target`"),
        ("file,label\nb.wav,y\n", r"n\.csv: .*m\.csv has the input in 'wav', and here it would be 'file'\. .* `input`"),
    ],
)
def test_tables_with_other_columns_than_the_first_are_refused(put, content, told):
    folder = put("a.wav", "b.wav")
    paths = [folder / "m.csv", folder / "n.csv"]
    paths[0].write_text("wav,label\na.wav,x\n")
    paths[1].write_text(content)
    with pytest.raises(DataError, match=told):
        read(paths)
    paths[1].write_text("Label,note,WAV\ny,1,b.wav\n")
    assert said(read(paths)) == {"a.wav": "x", "b.wav": "y"}


def test_columns_that_are_named_win_and_labels_are_read_too(put):
    folder = put("a.wav", "b.wav")
    (folder / "m.csv").write_text("first,second,label,speaker\na.wav,b.wav,up,ann\nb.wav,a.wav,down,bo\n")
    assert said(read(folder / "m.csv")) == {"a.wav": "up", "b.wav": "down"}
    assert said(read(folder / "m.csv", input="second", target="speaker")) == {"b.wav": "ann", "a.wav": "bo"}


def test_parts_of_a_file_are_named_by_times(put):
    folder = put("a.wav")
    (folder / "m.jsonl").write_text('{"audio_filepath": "a.wav", "text": "x", "offset": 0.01, "duration": 0.02}\n')
    (example,) = read(folder / "m.jsonl", Target.TEXTS)
    assert (example.sound.begin, example.sound.end) == (0.01, 0.03)
    (folder / "m.csv").write_text("path,start,end,text\na.wav,soon,0.2,x\n")
    with pytest.raises(DataError, match=r"m\.csv, line 2: 'start' must be a time, 0 or more, got 'soon'"):
        read(folder / "m.csv", Target.TEXTS)


def test_a_path_that_is_not_there_is_told_with_its_row(put):
    folder = put("a.wav")
    (folder / "m.csv").write_text("path,text\na.wav,one\nlost.wav,two\n")
    with pytest.raises(DataError, match=r"m\.csv, line 3: there is no file 'lost\.wav'"):
        read(folder / "m.csv", Target.TEXTS)


@pytest.mark.parametrize("cell", ["c", "c.mp33", "no file at all"])
def test_an_odd_path_is_told_with_line_column_and_cell_and_most_cells_decide_what_a_column_is(put, cell):
    folder = put("clips/a.wav", "clips/b.wav")
    (folder / "m.tsv").write_text(f"client_id\tpath\tsentence\nx\ta.wav\tone\ny\tb.wav\ttwo\nz\t{cell}\tthree\n")
    with pytest.raises(DataError, match=rf"m\.tsv, line 4: there is no file '{cell}', which 'path' names; it was looked for as \S+"):
        read(folder / "m.tsv", Target.TEXTS)
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out\. The first: \S+, line 4: there is no file"):
        assert said(read(folder / "m.tsv", Target.TEXTS, bad_rows="skip")) == {"a.wav": "one", "b.wav": "two"}
    with pytest.raises(DataError, match="line 4: there is no file"):
        read(folder / "m.tsv", Target.LABELS, target="sentence")


def test_spans_of_a_file_that_is_not_there_are_one_bad_row(put):
    folder = put("a.wav")
    (folder / "m.csv").write_text("path,start,end,label\na.wav,0.01,0.02,x\nb.wav,0.01,0.02,y\na.wav,0.03,0.04,z\n")
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out\. The first: \S+, line 3: there is no file 'b\.wav'"):
        (example,) = read(folder / "m.csv", Target.TAGS, bad_rows="skip")
    assert example.spans == ((0.01, 0.02, "x"), (0.03, 0.04, "z"))


@pytest.mark.parametrize("name", ["m.tsv", "m.jsonl"])
def test_a_column_that_was_asked_for_has_the_files_whatever_is_in_it(put, name):
    folder = put("clips/a.wav")
    rows = [("a.wav", "one"), ("c.mp33", "two"), ("d.mp33", "three")]
    tsv = "path\tsentence\n" + "".join(f"{path}\t{text}\n" for path, text in rows)
    objects = "".join(f'{{"path": "{path}", "sentence": "{text}"}}\n' for path, text in rows)
    (folder / name).write_text(tsv if name == "m.tsv" else objects)
    with pytest.warns(
        UnrolledWarning, match=r"2 bad rows are left out\. The first: \S+, line \d: there is no file 'c\.mp33', which 'path' names"
    ):
        assert said(read(folder / name, Target.TEXTS, input="path", target="sentence", bad_rows="skip")) == {"a.wav": "one"}
    with pytest.raises(ConfigError, match=r"(has no column|there is no key) 'paths'"):
        read(folder / name, Target.TEXTS, input="paths", target="sentence", format="sound")


def test_paths_without_their_ends_are_found(put):
    folder = put("clips/a.mp3", "clips/b.mp3", "c.wav")
    (folder / "m.tsv").write_text("client_id\tpath\tsentence\nx\ta\tone\ny\tb\ttwo\nz\tc\tthree\n")
    assert said(read(folder / "m.tsv", Target.TEXTS)) == {"a.mp3": "one", "b.mp3": "two", "c.wav": "three"}
    (folder / "m.tsv").write_text("path\tlabel\na.mp3\tone\nb.mp3\ttwo\nc\tthree\n")
    assert said(read(folder / "m.tsv")) == {"a.mp3": "one", "b.mp3": "two", "c.wav": "three"}


def test_folders_of_kaldi(put):
    folder = put("a.wav", "deep/b.wav")
    (folder / "wav.scp").write_text("r1 a.wav\nr2 deep/b.wav\n")
    (folder / "text").write_text("r1 one\nr2 two three\n")
    (folder / "utt2spk").write_text("r1 ann\nr2 bo\n")
    examples = read(folder, Target.TEXTS, group="speaker")
    assert [(e.name, e.labels, e.group) for e in examples] == [("r1", ("one",), "ann"), ("r2", ("two three",), "bo")]
    (folder / "text").write_text("r1\tone\nr2\ttwo three\n")
    assert said(read(folder, Target.TEXTS)) == {"a.wav": "one", "b.wav": "two three"}
    (folder / "segments").write_text("u1 r1 0.00 0.02\nu2 r2 0.01 0.05\n")
    (folder / "text").write_text("u1 one\nu2 two\n")
    assert [(e.sound.begin, e.sound.end) for e in read(folder, Target.TEXTS)] == [(0.0, 0.02), (0.01, 0.05)]
    (folder / "text").write_text("u1 one\nu2 two\nu3 three\n")
    with pytest.raises(DataError, match="'u3' has a text and no sound"):
        read(folder, Target.TEXTS)
    (folder / "wav.scp").write_text("r1 sph2pipe a.sph |\n")
    with pytest.raises(DataError, match=r"wav\.scp, line 1: 'sph2pipe a\.sph \|' is a command"):
        read(folder, Target.TEXTS)


def test_lines_of_kaldi_that_name_no_sound_are_left_out_alone(put):
    folder = put("a.wav", "b.wav")
    (folder / "wav.scp").write_text("r1 a.wav\nr2 sph2pipe b.sph |\nr3 b.wav\n")
    (folder / "text").write_text("r1 one\nr2 two\nr3 three\nr4 four\n")
    with pytest.warns(UnrolledWarning, match=r"2 bad rows are left out\. The first: \S+wav\.scp, line 2: 'sph2pipe"):
        assert said(read(folder, Target.TEXTS, bad_rows="skip")) == {"a.wav": "one", "b.wav": "three"}
    (folder / "text").write_text("u1 one\nu2 two\nu3 three\n")
    (folder / "segments").write_text("u1 r1 0.00 0.02\nu2 r2 0.01 0.05\nu3 r3 0.01 soon\n")
    with pytest.warns(
        UnrolledWarning, match=r"2 bad rows are left out\. The first: \S+wav\.scp, line 2: 'sph2pipe b\.sph \|' is a command"
    ):
        assert said(read(folder, Target.TEXTS, bad_rows="skip")) == {"a.wav": "one"}
    with pytest.raises(DataError, match=r"is a command.* To leave such rows out, pass `bad_rows='skip'`"):
        read(folder, Target.TEXTS)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "path,text\na.wav,one\na.wav,\n",
            r"m\.csv, line 3: the sequence has no text\. Fill in column 'text', or take the row out\. To leave",
        ),
        (
            "path\na.wav\n",
            r"m\.csv, line 2: the sequence has no text\. Pass the column .* as `text`; there are 'path'\. To leave",
        ),
    ],
)
def test_rows_without_a_text_are_told_which_column_lacks_it(put, rows, told):
    folder = put("a.wav")
    (folder / "m.csv").write_text(rows)
    with pytest.raises(DataError, match=told):
        read(folder / "m.csv", Target.TEXTS)


def test_files_of_texts_and_tracks_that_are_wrong_are_one_bad_row(put):
    folder = put("lj/wavs/LJ1.wav", "tags/a.wav", "tags/b.wav", "names/1_a.wav", "names/b.wav")
    (folder / "lj/metadata.csv").write_text("LJ1|one|one\nLJ2|two|two\n")
    (folder / "tags/a.txt").write_text("0.01\t0.02\tx\n")
    (folder / "tags/b.txt").write_text("soon late x\n")
    for source, wanted, options, told in (
        ("lj", Target.TEXTS, {}, r"there is no wavs/LJ2\.wav"),
        ("tags", Target.TAGS, {}, r"b\.txt, line 1: a span must have"),
        ("names", Target.LABELS, {"pattern": "{label}_{take}.wav"}, r"b\.wav is not of the form"),
    ):
        with pytest.warns(UnrolledWarning, match=rf"1 bad row is left out\. The first: .*{told}"):
            assert len(read(folder / source, wanted, bad_rows="skip", **options)) == 1


def test_folders_of_libri_speech_and_lj_speech(put):
    libri = put("libri/19/198/19-198-0001.flac") / "libri"
    (libri / "19/198/19-198.trans.txt").write_text("19-198-0001 HELLO THERE\n")
    (example,) = read(libri, Target.TEXTS, group="speaker")
    assert (example.labels, example.group) == (("HELLO THERE",), "19")
    put("libri/19/198/19-198-0002.flac")
    with pytest.raises(DataError, match=r"19-198-0002\.flac: the sequence has no text"):
        read(libri, Target.TEXTS)
    lj = put("lj/wavs/LJ1.wav") / "lj"
    (lj / "metadata.csv").write_text("LJ1|Dr. X|Doctor X\n")
    assert said(read(lj, Target.TEXTS)) == {"LJ1.wav": "Doctor X"}
    (lj / "metadata.csv").write_text("LJ2|Dr. X|Doctor X\n")
    with pytest.raises(DataError, match=r"there is no wavs/LJ2\.wav"):
        read(lj, Target.TEXTS)


def test_tables_of_texts_are_still_texts(tmp_path):
    (tmp_path / "m.csv").write_text("text,label\nI heard a.wav,up\nno sound,down\n")
    assert resolve_format(tmp_path / "m.csv", ReadingOptions(), Target.LABELS).format == "csv"


def test_a_run_remembers_the_columns(put):
    folder = put("a.wav")
    (folder / "m.csv").write_text("id,clip,mood\n1,a.wav,up\n")
    found = resolve_reading(folder / "m.csv", ReadingOptions(target="mood"), Target.LABELS)
    assert found.learnt == ("clip", "mood")


def test_predictions_are_written_beside_the_files_or_into_the_table(put, tmp_path):
    folder, out = put("a.wav"), tmp_path / "out"
    prediction = Prediction(("up",), None, (0.75,), ("up",), (0.75,))
    for source, expected in (
        (folder / "a.wav", f"file,predicted,probability\n{folder / 'a.wav'},up,0.7500\n"),
        (folder / "m.csv", "path,n,predicted,probability\na.wav,1,up,0.7500\n"),
    ):
        (folder / "m.csv").write_text("path,n\na.wav,1\n")
        examples = read_examples(source, ReadingOptions().to_predict(), Target.LABELS)
        with open(out, "w", newline="") as file:
            Sounds().write([(example, prediction) for example in examples], file, ReadingOptions())
        assert out.read_text() == expected


def test_tags_lie_in_label_tracks_and_steps_have_no_numbers(put):
    folder = put("a.wav")
    (folder / "a.txt").write_text("0.01\t0.02\tspeech\n0.03\t0.05\tnoise\n")
    (example,) = read(folder, Target.TAGS)
    assert example.spans == ((0.01, 0.02, "speech"), (0.03, 0.05, "noise"))
    with pytest.raises(ConfigError, match="no numbers for its frames"):
        read(folder, Target.STEP_VALUES)


def packed(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for one in sorted(folder.rglob("*.*")):
            archive.write(one, one.relative_to(folder))
    return path


def test_texts_in_archives_lie_beside_their_recordings(put, tmp_path):
    folder = put("data/a.wav", "data/deep/b.wav") / "data"
    (folder / "a.txt").write_text("one\n\ntwo\n")
    (folder / "deep/b.lab").write_bytes("\ufeffdrei ä\r\n".encode())
    found = read(packed(folder, tmp_path / "a.zip"), Target.TEXTS)
    assert {e.sound.member: e.labels for e in found} == {"a.wav": ("one two",), "deep/b.wav": ("drei ä",)}
    (folder / "a.txt").write_bytes(b"one\nzw\xf6lf\n")
    with pytest.raises(DataError, match=r"b\.zip:a\.txt, line 2, is not utf-8"):
        read(packed(folder, tmp_path / "b.zip"), Target.TEXTS)


def test_libri_speech_in_an_archive(put, tmp_path):
    folder = put("libri/19/198/19-198-0001.flac") / "libri"
    (folder / "19/198/19-198.trans.txt").write_text("19-198-0001 HELLO THERE\n")
    (example,) = read(packed(folder, tmp_path / "a.zip"), Target.TEXTS, group="speaker")
    assert (example.labels, example.group, example.sound.member) == (("HELLO THERE",), "19", "19/198/19-198-0001.flac")
    assert len([*read_samples(example.sound, 8000)]) == 1


LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 0.5
        points: size = 1
        points [1]:
            number = 0.25
            mark = "x"
    item [2]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 0.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = ""
        intervals [2]:
            xmin = 0.1
            xmax = 0.25
            text = "say ""7"" [1]"
        intervals [3]:
            xmin = 0.25
            xmax = 0.5
            text = "2"
    item [3]:
        class = "IntervalTier"
        name = "who"
        xmin = 0
        xmax = 0.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "ann"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
0.5
<exists>
1
"IntervalTier"
"words"
0
0.5
3
0
0.1
""
0.1
0.25
"say ""7"" [1]"
0.25
0.5
"2"
"""
SPANS = ((0.1, 0.25, 'say "7" [1]'), (0.25, 0.5, "2"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.TextGrid", LONG),
        ("a.TextGrid", SHORT),
        ("a.csv", 'Start,End,Label\n0.1,0.25,"say ""7"" [1]"\n0.25,0.5,2\n'),
        ("a.tsv", 'onset\toffset\tevent_label\n0.1\t0.25\tsay "7" [1]\n0.25\t0.5\t2\n'.replace('"7"', "7").replace("say 7", 'say "7"')),
        ("a.csv", 'label,begin,duration\n"say ""7"" [1]",0.1,0.15\n2,0.25,0.25\n'),
        ("a.txt", '0.1\t0.25\tsay "7" [1]\n\\\t100\t200\n0.25\t0.5\t2\n'),
    ],
)
def test_spans_lie_beside_their_recording(put, tmp_path, name, content):
    folder = put("data/a.wav") / "data"
    (folder / name).write_text(content)
    for source in (folder, packed(folder, tmp_path / "a.zip")):
        (example,) = read(source, Target.TAGS)
        assert example.spans == SPANS


def test_a_tier_is_named_and_damage_is_told(put):
    folder = put("a.wav")
    (folder / "a.TextGrid").write_text(LONG)
    (example,) = read(folder, Target.TAGS, target="who")
    assert example.spans == ((0.0, 0.5, "ann"),)
    with pytest.raises(DataError, match=r"a\.TextGrid has no tier 'where'; it has words, who\. Name one as `target`"):
        read(folder, Target.TAGS, target="where")
    (folder / "a.TextGrid").write_text(LONG[: LONG.index("intervals [3]")])
    with pytest.raises(DataError, match="ends before its last interval"):
        read(folder, Target.TAGS)
    (folder / "a.TextGrid").write_text("0.1\t0.2\tx\n")
    with pytest.raises(DataError, match=r"a\.TextGrid is no TextGrid"):
        read(folder, Target.TAGS)
    (folder / "a.TextGrid").unlink()
    (folder / "a.csv").write_text("start,end,label\n0.1,0.2,x\nsoon,0.3,y\n")
    with pytest.raises(
        DataError, match=r"a\.csv, line 3: a span must have a beginning and an end in seconds and a label, got 'soon', '0\.3' and 'y'"
    ):
        read(folder, Target.TAGS)
    (folder / "a.csv").write_text("from,to,label\n0.1,0.2,x\n")
    with pytest.raises(
        DataError, match=r"a\.csv, line 1: a table of spans must have columns such as start, end and label, got from, to, label"
    ):
        read(folder, Target.TAGS)


def test_a_table_has_a_span_a_row(put):
    folder = put("a.wav", "b.wav")
    (folder / "m.csv").write_text("file,start,end,label,who\na.wav,0,0.02,x,ann\nb.wav,0.01,0.02,y,bo\na.wav,0.03,0.05,y,ann\n")
    first, second = read(folder / "m.csv", Target.TAGS, group="who")
    assert (first.sound.path.name, first.spans, first.group) == ("a.wav", ((0, 0.02, "x"), (0.03, 0.05, "y")), "ann")
    assert (second.sound.path.name, second.spans, second.sound.end) == ("b.wav", ((0.01, 0.02, "y"),), None)
    assert [e.spans[0][2] for e in read(folder / "m.csv", Target.TAGS, target="who")] == ["ann", "bo"]
    (folder / "m.csv").write_text("file,start,end,label\na.wav,0,0.02,x\na.wav,0.03,0.01,y\n")
    with pytest.raises(DataError, match=r"m\.csv, line 3: a span must have"):
        read(folder / "m.csv", Target.TAGS)
