import json

import numpy as np
import pytest

from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.captions import caption_format, read_captions
from unrolled.errors import ConfigError, DataError, UnrolledWarning


@pytest.fixture
def folder(tmp_path):
    """Files that are called like pictures; what is in them is looked at later."""
    for name in ("a.jpg", "b.jpg", "c.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def read(source, options=None, **more):
    return [(example.clip.path.name, example.texts) for example in read_captions([str(source)], options or CaptionOptions(), **more)]


SAID = [("a.jpg", ("A dog, a cat.", "Two animals")), ("b.jpg", ("A house",))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'image,caption\na.jpg,"A dog, a cat."\na.jpg,Two animals\nb.jpg,A house\n'),
        ("t.csv", "image,caption\na.jpg,A dog, a cat.\na.jpg,Two  animals\nb.jpg,A house\n"),
        ("captions.txt", "a.jpg,A dog, a cat.\na.jpg,Two animals\nb.jpg,A house\n\n"),
        ("Flickr8k.token.txt", "a.jpg#0\tA dog, a cat.\na.jpg#1\tTwo animals\nb.jpg#0\tA house\n"),
        ("t.csv", 'id;text;file\n1;A dog, a cat.;a.jpg\n2;Two animals;a.jpg\n3;"A house";b.jpg\n'),
        ("results.csv", "image_name| comment_number| comment\na.jpg| 0| A dog, a cat.\na.jpg| 1| Two animals\nb.jpg| 0| A house\n"),
        (
            "t.jsonl",
            '{"image": "a.jpg", "captions": ["A dog, a cat.", "Two animals", "Two animals"]}\n{"image": "b.jpg", "captions": "A house"}\n',
        ),
        ("t.json", '[{"file": "a.jpg", "caption": ["A dog, a cat.", "Two animals"]}, {"file": "b.jpg", "caption": "A house"}]'),
    ],
)
def test_each_picture_comes_once_with_all_its_sentences(folder, name, text):
    (folder / name).write_text(text)
    assert read(folder / name) == SAID


def test_coco_has_images_and_annotations(folder):
    images = [{"id": 7, "file_name": "b.jpg"}, {"id": 5, "file_name": "a.jpg"}]
    annotations = [{"image_id": 5, "caption": "A dog"}, {"image_id": 7, "caption": "A house"}, {"image_id": 5, "caption": "A cat\n"}]
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    assert read(folder / "coco.json") == [("b.jpg", ("A house",)), ("a.jpg", ("A dog", "A cat"))]
    # Of several sentences whose pictures are not there the first is told.
    more = [*annotations, *({"image_id": i, "caption": f"Nothing of {i}"} for i in (9, *range(20, 60)))]
    (folder / "more.json").write_text(json.dumps({"images": images, "annotations": more}))
    with pytest.raises(DataError, match="the sentence 'Nothing of 9' is of the image 9, which is not there"):
        read(folder / "more.json")


IMAGES = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
ANNOTATIONS = [{"image_id": 1, "caption": "A dog"}, {"image_id": 2, "caption": "A house"}]
SPLITS = [{"filename": "a.jpg", "sentences": [{"raw": "A dog"}]}, {"filename": "b.jpg", "sentences": [{"raw": "A house"}]}]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            {"images": IMAGES, "annotations": [*ANNOTATIONS, {"image_id": 1, "caption": None}]},
            "annotation 3 must have 'image_id', and a text",
        ),
        ({"images": IMAGES, "annotations": [{"image_id": 1}, *ANNOTATIONS]}, "annotation 1 must have 'image_id', and a text"),
        (
            {"images": [*IMAGES, {"id": 3, "file_name": None}], "annotations": ANNOTATIONS},
            "image 3 must have 'id', and a text under 'file_name'",
        ),
        (
            {"images": [*SPLITS, {"filename": "c.png", "sentences": [{"raw": None}]}]},
            "image 2 must have 'filename', and 'sentences' with texts",
        ),
        ({"images": [*SPLITS, 5]}, "image 2 must have 'filename'"),
        ([{"image": "a.jpg", "caption": "A dog"}, {"image": "c.png"}, {"image": "b.jpg", "caption": "A house"}], "sentences is not clear"),
    ],
)
def test_what_is_no_text_in_json_is_one_bad_row(folder, bad, told):
    (folder / "d.json").write_text(json.dumps(bad))
    with pytest.raises(DataError, match=f"{told}.*bad_rows='skip'"):
        read(folder / "d.json")
    with pytest.warns(UnrolledWarning, match=f"1 bad row is left out.*{told}"):
        assert read(folder / "d.json", CaptionOptions(bad_rows="skip")) == [("a.jpg", ("A dog",)), ("b.jpg", ("A house",))]


@pytest.mark.parametrize("record", [{"images": IMAGES}, {"images": [{"filename": "a.jpg", "sentids": [1]}, {"filename": "b.jpg"}]}])
def test_pictures_of_coco_and_of_splits_may_have_no_sentences_where_none_are_needed(folder, record):
    (folder / "d.json").write_text(json.dumps(record))
    assert read(folder / "d.json", CaptionOptions().to_predict()) == [("a.jpg", ()), ("b.jpg", ())]
    with pytest.raises(DataError, match=r"has no sentence|must have 'filename', and 'sentences'"):
        read(folder / "d.json")


def test_commas_need_no_quotes_where_the_two_columns_are_named(folder):
    (folder / "t.csv").write_text("image,caption\na.jpg,A dog, a cat\n")
    asked = CaptionOptions(input="image", target="caption")
    assert read(folder / "t.csv", asked) == [("a.jpg", ("A dog, a cat",))]
    assert caption_format(str(folder / "t.csv"), asked).name == "lines"
    with pytest.raises(ConfigError, match=r"there is no column 'nosuch'; there are image, caption"):
        read(folder / "t.csv", CaptionOptions(target="nosuch"))
    (folder / "t.csv").write_text("image,german\na.jpg,Ein Hund, eine Katze\n")
    assert read(folder / "t.csv", CaptionOptions(target="german")) == [("a.jpg", ("Ein Hund, eine Katze",))]


def test_quotes_around_a_part_of_a_sentence_are_its_own(folder):
    (folder / "t.csv").write_text('image,caption\na.jpg,"Hello" he said\nb.jpg,"Say ""hi"", man"\n')
    assert read(folder / "t.csv") == [("a.jpg", ('"Hello" he said',)), ("b.jpg", ('Say "hi", man',))]


ROWS = {
    'a.jpg,"Two\nlines, here"\n': ("a.jpg", "Two lines, here"),
    '"a, b.jpg",A dog\n': ("a, b.jpg", "A dog"),
    "a.jpg,A dog, a cat\n": ("a.jpg", "A dog, a cat"),
    'a.jpg,"A dog," he said\n': ("a.jpg", '"A dog," he said'),
    'a.jpg,"A dog\n': ("a.jpg", '"A dog'),
}


@pytest.mark.parametrize("before", [0, 1, 300])
@pytest.mark.parametrize("header", ["", "image,caption\n", "photo,caption\n"])
@pytest.mark.parametrize("row", ROWS)
def test_what_is_read_of_a_row_does_not_depend_on_where_it_stands(folder, row, header, before):
    (folder / "a, b.jpg").write_bytes(b"")
    (folder / "t.csv").write_text(header + "b.jpg,A house\n" * before + row + "b.jpg,A house\nc.png,An end\n")
    found = dict(read(folder / "t.csv"))
    assert (ROWS[row][0], (ROWS[row][1],)) in found.items() and found["b.jpg"] == ("A house",) and found["c.png"] == ("An end",)


@pytest.mark.parametrize("header", ["img,caption,split", "number,photo,caption", "who,sentence,seen"])
def test_the_column_that_names_pictures_is_found_by_its_cells(folder, header):
    rows = {"img": "a.jpg,A dog,train", "num": "1,a.jpg,A dog", "who": "Ann,A dog,clip"}
    (folder / "clip").mkdir()
    (folder / "t.csv").write_text(f"{header}\n{rows[header[:3]]}\n")
    assert read(folder / "t.csv") == [("clip" if header.startswith("who") else "a.jpg", ("A dog",))]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("a.jpg#1\n", r"a\.jpg has no sentence"),
        ("a.jpg#1\t\n", r"a\.jpg has no sentence"),
        ("a.jpg.1#0\tA dog\n", r"there is no picture 'a\.jpg\.1'"),
        ("a.jpg#0 A dog\n", "there must be a picture, and a sentence after a tab or comma, got 'a.jpg#0 A dog'"),
        ("something else\n", "there must be a picture"),
    ],
)
def test_a_bad_line_of_tokens_is_one_bad_row_wherever_it_stands(folder, bad, told):
    good = [f"b.jpg#{number}\tA house\n" for number in range(3)]
    for at in (0, 1, 3):
        (folder / "t.token").write_text("".join((*good[:at], bad, *good[at:])))
        with pytest.raises(DataError, match=rf"line {at + 1}: {told}"):
            read(folder / "t.token")
        with pytest.warns(UnrolledWarning, match="1 bad row is left out"):
            assert read(folder / "t.token", CaptionOptions(bad_rows="skip")) == [("b.jpg", ("A house",))]


def test_a_list_of_pictures_can_be_looked_at(folder):
    (folder / "list.txt").write_text("a.jpg\nb.jpg\n")
    assert read(folder / "list.txt", CaptionOptions().to_predict()) == [("a.jpg", ()), ("b.jpg", ())]


def test_rows_that_are_all_bad_are_told_before_their_columns(folder):
    (folder / "t.csv").write_text("photo,said\na.jpg,A dog, a cat\n")
    with pytest.raises(DataError, match="line 2: a row must have 2 cells"):
        read(folder / "t.csv")


def test_what_cannot_be_seen_is_no_sentence(folder):
    (folder / "t.csv").write_text("image,caption\na.jpg,\u200b\ufeff \u2060\nb.jpg,A\u200b house\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2: a\.jpg has no sentence"):
        read(folder / "t.csv")


def test_ids_of_coco_may_be_texts_in_one_list_and_no_two_pictures_have_one(folder):
    record = {"images": IMAGES, "annotations": [{**one, "image_id": str(one["image_id"])} for one in ANNOTATIONS]}
    (folder / "d.json").write_text(json.dumps(record))
    assert read(folder / "d.json") == [("a.jpg", ("A dog",)), ("b.jpg", ("A house",))]
    record["images"] = [*IMAGES, {"id": 1, "file_name": "c.png"}]
    (folder / "d.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"image 3: the 'id' 1 is of a\.jpg and of c\.png"):
        read(folder / "d.json")


def test_splits_of_karpathy_are_read_apart(folder):
    splits = [("a.jpg", "train"), ("b.jpg", "restval"), ("c.png", "test")]
    images = [{"filename": name, "split": split, "sentences": [{"raw": f"it is {name}"}]} for name, split in splits]
    (folder / "dataset.json").write_text(json.dumps({"images": images, "dataset": "flickr8k"}))
    names = lambda part: [name for name, _ in read(folder / "dataset.json", CaptionOptions(part=part))]  # noqa: E731
    assert (names("train"), names("test"), names(None)) == (["a.jpg", "b.jpg"], ["c.png"], ["a.jpg", "b.jpg", "c.png"])
    with pytest.raises(ConfigError, match=r"`part='dev'` is no split of .* which has restval, test, train"):
        names("dev")
    (folder / "dataset.json").write_text(json.dumps({"images": images[1:]}))
    assert names("train") == ["b.jpg"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "image,caption,Split\na.jpg,A dog,train\nb.jpg,A cat,test\n,,other\nc.png,A house,restval\n"),
        (
            "t.jsonl",
            """{"image": "a.jpg", "caption": "A dog", "split": "train"}
            {"image": "b.jpg", "caption": "A cat", "split": "test"}
            {"split": "other"}
            {"image": "c.png", "caption": "A house", "split": "restval"}""",
        ),
    ],
)
def test_splits_of_tables_and_objects_are_read_apart(folder, name, text):
    (folder / name).write_text(text)
    parts = {part: [file for file, _ in read(folder / name, CaptionOptions(part=part))] for part in ("train", "test")}
    assert parts == {"train": ["a.jpg", "c.png"], "test": ["b.jpg"]}
    with pytest.raises(ConfigError, match=r"`part='nope'` is no split of .* which has other, restval, test, train"):
        read(folder / name, CaptionOptions(part="nope"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "image,caption,number\na.jpg,A dog,1\n"),
        ("t.csv", "image,caption\na.jpg,A dog, a cat\n"),
        ("t.token", "a.jpg#0\tA dog\n"),
        ("t.jsonl", '{"image": "a.jpg", "caption": "A dog"}\n'),
        ("coco.json", '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "caption": "A dog"}]}'),
        ("", ""),
        ("a.jpg", ""),
    ],
)
def test_a_part_of_what_has_none_is_told(folder, name, text):
    if text:
        (folder / name).write_text(text)
    with pytest.raises((ConfigError, DataError), match="`part`"):
        read(folder / name, CaptionOptions(part="train").to_predict())


def test_sentences_lie_beside_pictures(folder):
    (folder / "a.txt").write_text("A dog, a cat.\n\nTwo animals\n")
    (folder / "b.txt").write_text("A house")
    with pytest.raises(DataError, match=r"c\.png has no sentence"):
        read(folder)
    (folder / "c.png").unlink()
    assert read(folder) == SAID
    (folder / "d.txt").write_text("Alone")
    with pytest.raises(DataError, match=r"d\.txt has sentences, and no picture lies beside it"):
        read(folder)


def test_a_folder_of_frames_beside_its_sentence_is_one_video(tmp_path):
    (tmp_path / "clip").mkdir()
    for number in range(3):
        (tmp_path / "clip" / f"{number}.png").write_bytes(b"")
    (tmp_path / "clip.txt").write_text("It moves\n")
    assert read(tmp_path) == [("clip", ("It moves",))]


def test_folders_of_frames_are_videos_where_these_are_wanted(tmp_path):
    for name in ("a/0.png", "a/1.png", "b/0.jpg", "b/1.jpg", "c/0.gif", "c/1.gif", "d.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = lambda source: [name for name, _ in read(source, CaptionOptions().to_predict(), moving=True)]  # noqa: E731
    assert found(tmp_path) == ["0.gif", "1.gif", "a", "b", "d.mp4"] and found(tmp_path / "a") == ["a"]
    assert found(tmp_path / "c") == ["0.gif", "1.gif"]
    (tmp_path / "a" / "0.txt").write_text("It is dark\n")
    assert found(tmp_path / "a") == ["0.png", "1.png"]
    assert [name for name, _ in read(tmp_path / "a", CaptionOptions().to_predict())] == ["0.png", "1.png"]


def test_pictures_without_sentences_can_be_looked_at(folder):
    options = CaptionOptions().to_predict()
    assert read(folder, options) == [("a.jpg", ()), ("b.jpg", ()), ("c.png", ())]
    (folder / "t.csv").write_text("image,size\na.jpg,3\n")
    assert read(folder / "t.csv", options) == [("a.jpg", ())]
    assert read(folder / "a.jpg", options) == [("a.jpg", ())]


def test_columns_and_a_folder_can_be_named(folder):
    (folder / "other").mkdir()
    (folder / "other" / "t.csv").write_text("number,photo,words\n1,a.jpg,A dog\n")
    options = {"input": "photo", "target": "words"}
    with pytest.raises(DataError, match=r"line 2: there is no picture 'a.jpg'; it was looked for as .*other/a.jpg"):
        read(folder / "other" / "t.csv", CaptionOptions(**options))
    assert read(folder / "other" / "t.csv", CaptionOptions(**options, images=str(folder))) == [("a.jpg", ("A dog",))]
    with pytest.raises(ConfigError, match=r"there is no column 'picture'; there are number, photo, words. Pass one of them as `input`"):
        read(folder / "other" / "t.csv", CaptionOptions(input="picture", target="words"))
    with pytest.raises(ConfigError, match="`images` must be a folder"):
        read(folder / "other" / "t.csv", CaptionOptions(images=str(folder / "none")))


@pytest.mark.parametrize(
    ("name", "text"), [("t.csv", "image,caption\na.jpg,A dog\n"), ("t.jsonl", '{"image": "a.jpg", "caption": "A dog"}\n')]
)
def test_pictures_and_sentences_are_two_columns(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(
        (ConfigError, DataError), match=r"'image' is the column of pictures and that of sentences\. Pass two of image, caption"
    ):
        read(folder / name, CaptionOptions(input="image", target="image"))


def test_bad_rows_are_told_or_left_out(folder):
    (folder / "t.csv").write_text("image,caption\na.jpg,\nb.jpg,A house\nx.jpg,Nothing\n")
    with pytest.raises(DataError, match=r"a\.jpg has no sentence. Add one, or take it out.*bad_rows='skip'"):
        read(folder / "t.csv")
    with pytest.warns(UnrolledWarning, match="2 bad rows are left out"):
        assert read(folder / "t.csv", CaptionOptions(bad_rows="skip")) == [("b.jpg", ("A house",))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.jsonl", '{"image": "a.jpg", "captions": ["A dog", "  ", "A cat"]}\n'),
        (
            "c.json",
            json.dumps({"images": IMAGES[:1], "annotations": [ANNOTATIONS[0], *({"image_id": 1, "caption": c} for c in (" ", "A cat"))]}),
        ),
        ("k.json", json.dumps({"images": [{"filename": "a.jpg", "sentences": [{"raw": raw} for raw in ("A dog", "", "A cat")]}]})),
    ],
)
def test_an_empty_sentence_beside_others_is_a_bad_row_of_its_own(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=r"sentence 2 of a\.jpg is empty. Take it out.*bad_rows='skip'"):
        read(folder / name)
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out.*sentence 2 of a\.jpg is empty"):
        assert read(folder / name, CaptionOptions(bad_rows="skip")) == [("a.jpg", ("A dog", "A cat"))]


@pytest.mark.parametrize("lines", ["x.jpg.1#0\tA bird\na.jpg#0\tA dog\n", "a.jpg#0\tA dog\nx.jpg.1#0\tA bird\n"])
def test_a_name_with_a_number_of_a_sentence_is_a_picture_that_is_not_there(folder, lines):
    (folder / "Flickr8k.token.txt").write_text(lines)
    with pytest.raises(DataError, match=r"there is no picture 'x\.jpg\.1'.*bad_rows='skip'"):
        read(folder / "Flickr8k.token.txt")
    with pytest.warns(UnrolledWarning, match="1 bad row is left out"):
        assert read(folder / "Flickr8k.token.txt", CaptionOptions(bad_rows="skip")) == [("a.jpg", ("A dog",))]


def test_features_lie_under_the_names_of_pictures(folder):
    np.save(folder / "a.npy", np.zeros((4, 3)))
    (folder / "t.csv").write_text("image,caption\na.jpg,A dog\n")
    assert read(folder / "t.csv", features=True) == [("a.npy", ("A dog",))]
    (folder / "t.csv").write_text("image,caption\nb.jpg,A dog\n")
    with pytest.raises(DataError, match=r"there is no file of features for .b\.jpg"):
        read(folder / "t.csv", features=True)


def test_parts_of_videos_are_pictures_of_their_own(folder):
    (folder / "v.mp4").write_bytes(b"")
    (folder / "t.csv").write_text("video,start,end,caption\nv.mp4,0,2,He runs\nv.mp4,2,4.5,He falls\nv.mp4,0,2,A man\n")
    found = list(read_captions([str(folder / "t.csv")], CaptionOptions()))
    assert [(e.clip.begin, e.clip.end, e.texts) for e in found] == [(0, 2, ("He runs", "A man")), (2, 4.5, ("He falls",))]
    assert [e.group for e in found] == ["v.mp4", "v.mp4"]


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"does not exist. Pass a table with pictures"):
        read(tmp_path / "no.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There is no picture in"):
        read(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.csv", b"", "t.csv has no first line with the names of its columns"),
        ("t.csv", b"i\rmage,caption\na.jpg,A dog\n", "t.csv"),
        ("t.csv", b"image,caption\n" + b"x" * 300 + b".jpg,A dog\n", "t.csv, line 2: there is no picture"),
        ("c.json", b'{"images": [], "images": [], "annotations": []}', "c.json: the key 'images' comes twice"),
    ],
)
def test_what_is_damaged_is_told(folder, name, content, told):
    (folder / name).write_bytes(content)
    with pytest.raises((DataError, ConfigError), match=told):
        read(folder / name)
