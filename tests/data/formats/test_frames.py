import json
import math
import warnings
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from pictures import save, save_gif, squares
from unrolled.data.codecs import FrameCodec
from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, write_predictions
from unrolled.data.pictures.seeing import Seeing
from unrolled.errors import ConfigError, DataError, UnrolledWarning

ANY = ReadingOptions()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("clips")
    for kind, step in (("slow", 1), ("fast", 3)):
        for number in range(2):
            path = root / "files" / kind / f"{number}.gif"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_gif(path, squares(4, step=step))
            for at, frame in enumerate(squares(3, step=step)):
                save(root / "folders" / kind / f"clip{number}" / f"{at}.png", frame)
    return root


def found(source, wanted=Target.LABELS, options=ANY):
    return [(e.clip and (e.clip.path.name, e.clip.begin, e.clip.end), e.labels) for e in labelled_examples(source, options, wanted)]


def test_a_folder_a_class_has_clips(folder) -> None:
    files = [(f"{n}.gif", 0.0, None) for n in (0, 1)]
    assert found(folder / "files") == [(c, (kind,)) for kind in ("fast", "slow") for c in files]
    clips = [(f"clip{n}", 0.0, None) for n in (0, 1)]
    assert found(folder / "folders") == [(c, (kind,)) for kind in ("fast", "slow") for c in clips]


def test_a_list_names_clips_and_labels(folder) -> None:
    path = folder / "list.txt"
    path.write_text("files/slow/0.gif slow\nfolders/fast/clip1\tfast\n\n")
    assert found(path) == [(("0.gif", 0.0, None), ("slow",)), (("clip1", 0.0, None), ("fast",))]
    path.write_text("# which, and how fast\nfiles/slow/0.gif very slow\nfiles/fast/1.gif\tnot  so slow\n")
    assert found(path) == [(("0.gif", 0.0, None), ("very slow",)), (("1.gif", 0.0, None), ("not  so slow",))]
    path.write_text("files/slow/0.gif slow\nfiles/slow/9.gif slow\n")
    with pytest.raises(DataError, match=r"list.txt, line 2: there is no file 'files/slow/9.gif'; it was looked for as"):
        found(path)


def test_tables_with_other_columns_than_the_first_are_refused(folder) -> None:
    paths = [folder / "first.csv", folder / "second.csv"]
    paths[0].write_text("clip,label\nfiles/slow/0.gif,slow\n")
    paths[1].write_text("clip,class\nfiles/fast/1.gif,fast\n")
    with pytest.raises(DataError, match=r"second\.csv: .*first\.csv has the target in 'label', and here it would be 'class'\."):
        found(paths)


def test_most_cells_decide_what_a_column_is_and_ends_may_be_left_out(folder) -> None:
    table = folder / "odd.csv"
    table.write_text("clip,label\nfiles/slow/0.gif,slow\nfiles/fast/1,fast\nfiles/slow/1.gif,slow\n")
    assert [clip for clip, _ in found(table)] == [("0.gif", 0.0, None), ("1.gif", 0.0, None), ("1.gif", 0.0, None)]
    table.write_text("clip,label\nfiles/slow/0,slow\nfiles/fast/1,fast\n")
    assert [clip for clip, _ in found(table)] == [("0.gif", 0.0, None), ("1.gif", 0.0, None)]
    table.write_text("clip,label\nfiles/slow/0.gif,slow\nfiles/fast/9,fast\nfiles/slow/1.gif,slow\n")
    with pytest.raises(DataError, match=r"odd\.csv, line 3: there is no file 'files/fast/9', which 'clip' names; it was looked for as"):
        found(table)


def test_tables_and_json_lines_name_clips_and_parts_of_them(folder) -> None:
    (folder / "t.csv").write_text("clip,start,end,kind\nfiles/slow/0.gif,0,0.2,slow\nfiles/fast/1.gif,0.1,0.3,fast\n")
    assert found(folder / "t.csv", options=ReadingOptions(target="kind")) == [
        (("0.gif", 0, 0.2), ("slow",)),
        (("1.gif", 0.1, 0.3), ("fast",)),
    ]
    rows = [{"clip": "files/slow/0.gif", "speed": [1, 0]}, {"clip": "files/fast/1.gif", "speed": [3, 0]}]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    examples = list(labelled_examples(folder / "t.jsonl", ReadingOptions(input="clip", target="speed"), Target.VALUES))
    assert [e.values.tolist() for e in examples] == [[1, 0], [3, 0]]
    (folder / "folders.csv").write_text("kind,clip\nslow,folders/slow/clip0\nfast,folders/fast/clip1\n")
    assert found(folder / "folders.csv") == [(("clip0", 0, None), ("slow",)), (("clip1", 0, None), ("fast",))]
    (folder / "empty").mkdir()
    (folder / "mixed.csv").write_text("kind,clip\nslow,folders/slow/clip0\nfast,files/fast/1.gif\nslow,empty\n")
    assert [name for (name, *_), _ in found(folder / "mixed.csv")] == ["clip0", "1.gif", "empty"]
    (folder / "bad.csv").write_text("clip,start,end,kind\nfiles/slow/0.gif,0.2,0.1,slow\n")
    with pytest.raises(DataError, match=r"bad.csv, line 2: the interval from 0.2 to 0.1 is empty"):
        found(folder / "bad.csv", options=ReadingOptions(target="kind"))


def test_intervals_of_a_file_are_tags_of_its_frames(folder) -> None:
    (folder / "i.csv").write_text("file,start,end,label\nfiles/slow/0.gif,0,2,a\nfiles/slow/0.gif,2,3,b\nfiles/fast/1.gif,1,3,a\n")
    examples = list(labelled_examples(folder / "i.csv", ANY, Target.TAGS))
    assert [(e.clip.path.name, e.spans) for e in examples] == [("0.gif", ((0, 2, "a"), (2, 3, "b"))), ("1.gif", ((1, 3, "a"),))]
    (folder / "i.csv").write_text("file,start,end,label\nfiles/slow/0.gif,,2,a\nfiles/fast/1.gif,1,3,a\nfiles/slow/0.gif,2,,b\n")
    examples = list(labelled_examples(folder / "i.csv", ANY, Target.TAGS))
    expected = [("0.gif", ((0, 2, "a"), (2, math.inf, "b"))), ("1.gif", ((1, 3, "a"),))]
    assert [(e.clip.path.name, e.spans) for e in examples] == expected, "rows of one file stand anywhere, and blanks are its ends"


def test_a_beginning_of_0_is_one_in_json_too(folder) -> None:
    rows = [
        {"file": "files/slow/0.gif", "label": "a", "start": 0, "end": 0.2},
        {"file": "files/fast/1.gif", "label": "b", "offset": 0, "duration": 0.1},
    ]
    (folder / "z.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert found(folder / "z.jsonl") == [(("0.gif", 0, 0.2), ("a",)), (("1.gif", 0, 0.1), ("b",))]
    (folder / "z.csv").write_text("clip,start,end,kind\nfiles/slow/0.gif,-0.1,0.1,slow\n")
    with pytest.raises(DataError, match=r"z\.csv, line 2: 'start' must be a time, 0 or more, got '-0\.1'"):
        found(folder / "z.csv", options=ReadingOptions(target="kind"))


def test_arrays_have_clips(tmp_path) -> None:
    clips = np.arange(3 * 5 * 4 * 4, dtype=np.uint8).reshape(3, 5, 4, 4)
    np.savez(tmp_path / "a.npz", x=clips, y=["p", "q", "p"])
    examples = list(labelled_examples(tmp_path / "a.npz", ANY, Target.LABELS))
    assert [e.labels for e in examples] == [("p",), ("q",), ("p",)]
    assert all((e.frames[..., 0] == clip).all() for e, clip in zip(examples, clips, strict=True))
    np.save(tmp_path / "moving.npy", np.zeros((5, 251, 4, 4), np.uint8))
    with pytest.warns(UnrolledWarning, match=r"is taken for 251 clips of 5 frames\. Pass `axes='NTHW'`"):
        assert len(list(read_examples(tmp_path / "moving.npy", ANY.to_predict(), Target.LABELS))) == 251
    kept = list(read_examples(tmp_path / "moving.npy", ReadingOptions(axes="NTHW").to_predict(), Target.LABELS))
    assert [e.frames.shape for e in kept] == [(251, 4, 4, 1)] * 5


@pytest.mark.parametrize(
    ("shape", "axes", "order", "expected", "told"),
    [
        ((7, 9, 8, 3), None, (0, 1, 2, 3), (1, 7, 9, 8, 3), "one clip of 7 frames of 8x9 in 3 colours"),
        ((7, 9, 8, 3), "NTHW", (0, 1, 2, 3), (7, 9, 8, 3, 1), ""),
        ((2, 7, 3, 9, 8), None, (0, 1, 3, 4, 2), (2, 7, 9, 8, 3), "2 clips of frames of 8x9 in 3 colours"),
        ((2, 7, 3, 9, 8), "NTCHW", (0, 1, 3, 4, 2), (2, 7, 9, 8, 3), ""),
        ((7, 3, 9, 8), "TCHW", (0, 2, 3, 1), (1, 7, 9, 8, 3), ""),
        ((7, 9, 8), "THW", (0, 1, 2), (1, 7, 9, 8, 1), ""),
        ((7, 9, 8, 3), "THW", (0, 1, 2, 3), (1, 7, 9, 8, 3), ""),
        ((7, 2, 9, 8, 3), "TNHW", (1, 0, 2, 3, 4), (2, 7, 9, 8, 3), ""),
        ((2, 7, 9, 8, 3), None, (0, 1, 2, 3, 4), (2, 7, 9, 8, 3), ""),
    ],
)
def test_axes_of_arrays_are_as_said_or_guessed_and_told(shape, axes, order, expected, told, tmp_path) -> None:
    array = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    np.save(tmp_path / "a.npy", array)
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        found = np.stack([e.frames for e in read_examples(tmp_path / "a.npy", ReadingOptions(axes=axes).to_predict(), Target.LABELS)])
    assert [str(one.message) for one in noted] == (
        []
        if not told
        else [f"{tmp_path / 'a.npy'}: the array {[*shape]} is taken for {told}. Pass `axes='NTHW'` if its first axis is that of clips."]
    )
    assert found.shape == expected
    assert (found == array.transpose(order).reshape(expected)).all()


def test_axes_that_an_array_does_not_have_are_told(tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((7, 9, 8, 3), np.uint8))
    with pytest.raises(
        ConfigError, match=r"a\.npy: `axes='NTCHW'` does not fit the array \[7, 9, 8, 3\]\. Pass another one of NTHW, TNHW, THW"
    ):
        list(read_examples(tmp_path / "a.npy", ReadingOptions(axes="NTCHW").to_predict(), Target.LABELS))


def test_predictions_are_written_beside_the_files(folder) -> None:
    options = resolve_format(folder / "files", ANY, Target.LABELS)
    examples = list(read_examples(folder / "files", options, Target.LABELS))[:1]
    file = StringIO()
    write_predictions([(e, Prediction(labels=("slow",), probabilities=(0.75,))) for e in examples], file, options)
    assert file.getvalue().splitlines() == ["file,predicted,probability", f"{folder / 'files' / 'fast' / '0.gif'},slow,0.7500"]
    tags, file = Prediction(tags=("a", "a", "b"), probabilities=(0.5, 1.0, 0.25), seconds=0.1), StringIO()
    write_predictions([(e, tags) for e in examples], file, options)
    assert [line.split(",")[1:] for line in file.getvalue().splitlines()[1:]] == [
        ["0.0", "0.2", "a", "0.7500"],
        ["0.2", "0.3", "b", "0.2500"],
    ]


def test_a_folder_without_clips_is_told(tmp_path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="has no pictures or videos in it"):
        found(tmp_path, options=ReadingOptions(format="frames"))


def test_rows_of_numbers_are_frames_of_a_shape(tmp_path) -> None:
    lines = ["time,a,b,c,d,e,f", *(f"{t}.5,{','.join(str(6 * t + k) for k in range(6))}" for t in range(4))]
    (tmp_path / "s.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "i.csv").write_text("file,start,end,label\ns.csv,0,2,walk\ns.csv,3,4,sit\n")
    shaped = ReadingOptions(shape="2x3")
    (example,) = labelled_examples(tmp_path / "i.csv", shaped, Target.TAGS)
    see = Seeing(choose=FrameCodec.choose)
    assert see(example.clip, "here").shape == (4, 2, 3, 1) and see(example.clip, "here").dtype == np.float32
    assert (see(example.clip, "here")[..., 0] == np.arange(24).reshape(4, 2, 3)).all()
    assert example.spans == ((0, 2, "walk"), (3, 4, "sit"))
    first, second = labelled_examples(tmp_path / "i.csv", shaped, Target.LABELS)
    assert (see(first.clip, "") == see(example.clip, "")[:2]).all() and (see(second.clip, "") == see(example.clip, "")[3:]).all()
    (alone,) = read_examples(tmp_path / "s.csv", shaped.to_predict(), Target.TAGS)
    assert alone.clip == example.clip
    (tmp_path / "s.csv").write_text("1,2,3,4,5,6\n1,2,x,4,5,6\n")
    with pytest.raises(DataError, match=r"s.csv, line 2: a row must end in 6 numbers, as `shape` says, got something else"):
        see(example.clip, "here")
