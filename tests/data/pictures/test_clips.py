import re

import numpy as np
import pytest
from PIL import Image

from pictures import save, save_gif, save_video, squares
from unrolled.data.codecs import FrameCodec
from unrolled.data.pictures.clips import Clip, is_uneven, rate_of, read_frames
from unrolled.data.pictures.seeing import Seeing
from unrolled.errors import DataError


def test_a_video_gives_its_frames_with_their_times(tmp_path) -> None:
    path = save_video(tmp_path / "a.mp4", squares(12), rate=8)
    frames = list(read_frames(path))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(12) / 8)
    assert rate_of(path) == pytest.approx(8) and not is_uneven(path)
    apart = [np.abs(np.asarray(frame.image).astype(int) - true).mean() for frame, true in zip(frames, squares(12), strict=True)]
    assert max(apart) < 12, "the video is compressed, but its frames stand in their order"


def test_a_video_that_does_not_begin_at_0_is_told_from_its_first_frame(tmp_path) -> None:
    path = save_video(tmp_path / "a.mkv", squares(6), rate=10, times=[*range(20, 26)])
    assert [frame.time for frame in read_frames(path)] == pytest.approx(np.arange(6) / 10)


def test_a_variable_rate_is_noticed(tmp_path) -> None:
    path = save_video(tmp_path / "a.mp4", squares(6), rate=10, times=[0, 1, 2, 6, 7, 8])
    assert is_uneven(path)
    assert rate_of(path) == pytest.approx(10 * 5 / 8, abs=1e-3)


def test_gifs_have_times_and_keep_all_frames_apart(tmp_path) -> None:
    frames = list(read_frames(save_gif(tmp_path / "a.gif", squares(4), 50)))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.05, 0.1, 0.15])
    assert [int(np.asarray(f.image.convert("RGB"))[3].max(1).argmax()) for f in frames] == [0, 1, 2, 3]


def test_a_gif_keeps_frames_that_say_no_time(tmp_path) -> None:
    path = save_gif(tmp_path / "a.gif", squares(4), [50, 0, 50, 50])
    assert [frame.time for frame in read_frames(path)] == pytest.approx([0, 0.05, 0.15, 0.2]), "a tenth of a second, as browsers show them"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_a_photograph_that_was_held_upright_is_turned(mode, tmp_path) -> None:
    plain = np.arange(12, dtype=np.uint16).reshape(3, 4) * 256
    image = Image.fromarray(plain) if mode == "I;16" else Image.fromarray((plain >> 8).astype(np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    seeing = Seeing(choose=FrameCodec.choose)
    assert (seeing(Clip(tmp_path / "a.png"), "here")[0, ..., 0] == np.rot90(plain >> 8, -1)).all()


@pytest.mark.parametrize("kind", ["f4", "i4"])
def test_pictures_that_do_not_say_what_is_white_are_told(kind, tmp_path) -> None:
    Image.fromarray(np.linspace(0, 1, 64).reshape(8, 8).astype(kind)).save(tmp_path / "a.tif")
    with pytest.raises(
        DataError, match=r"a\.tif holds real numbers, or whole ones of 32 bits, which do not say what is white\. Save it with 8 or 16"
    ):
        list(read_frames(tmp_path / "a.tif"))


def test_folders_come_in_the_order_of_their_numbers_and_have_no_times(tmp_path) -> None:
    for number, frame in enumerate(squares(12)):
        save(tmp_path / "clip" / f"f{number}.png", frame)
    frames = list(read_frames(tmp_path / "clip"))
    assert [int(np.asarray(f.image)[3].max(1).argmax()) for f in frames] == list(range(12))
    assert {f.time for f in frames} == {None} and rate_of(tmp_path / "clip") is None


def test_a_picture_is_one_frame_without_a_time(tmp_path) -> None:
    (frame,) = read_frames(save(tmp_path / "a.png", squares(1)[0]))
    assert frame.time is None and frame.image.size == (16, 16)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.mp4", b"no video at all", "cannot be read as a video: .*Pass mp4, avi"),
        ("a.mp4", b"", "cannot be read as a video"),
        ("a.png", b"\x89PNG\r\n\x1a\nrest", "cannot be read as a picture: .*Pass PNG, JPEG"),
        ("a.jpg", None, "does not exist, or is no file"),
    ],
)
def test_what_is_none_is_told(name, content, told, tmp_path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{re.escape(str(path))}.*{told}"):
        list(read_frames(path))


def test_a_video_that_is_cut_off_is_told(tmp_path) -> None:
    path = save_video(tmp_path / "a.mp4", squares(30))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DataError, match=r"has no pictures in it.* damaged"):
        list(read_frames(path))


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_matroska_file_that_is_cut_off_is_told(name, tmp_path) -> None:
    path = save_video(tmp_path / name, squares(30))
    assert len(list(read_frames(path))) == 30
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"is shorter than it says it is\. It is not complete"):
        list(read_frames(path))
    segment = content.index(bytes.fromhex("18538067")) + 4
    path.write_bytes(content[:segment] + b"\x01" + b"\xff" * 7 + content[segment + 8 :])
    assert len(list(read_frames(path))) == 30, "a stream does not say how long it is"


def test_an_empty_folder_has_no_frame(tmp_path) -> None:
    with pytest.raises(DataError, match="has no frame"):
        list(read_frames(tmp_path))


def test_a_picture_too_large_for_pillow_is_told(tmp_path, monkeypatch) -> None:
    path = save(tmp_path / "a.png", squares(1)[0])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    with pytest.raises(DataError, match="cannot be read as a picture: Image size"):
        list(read_frames(path))
