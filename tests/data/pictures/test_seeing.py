import math
import re
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pictures import save, save_gif, save_video, squares
from unrolled.data.codecs import FrameCodec
from unrolled.data.columns import InMemory
from unrolled.data.dataset import NO_TAG
from unrolled.data.pictures.clips import Clip
from unrolled.data.pictures.pixels import Shape, pixels_of, resized
from unrolled.data.pictures.seeing import Seeing
from unrolled.errors import ConfigError, DataError, UnrolledWarning

COLOUR, GREY = Shape(16, 16, 3), Shape(16, 16, 1)


def seen(source, codec: FrameCodec | None = None):
    seeing = Seeing(codec) if codec else Seeing(choose=FrameCodec.choose)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = seeing(source, "here")
        seeing.report()
    return found, [str(one.message) for one in told], seeing


def test_transparent_palette_and_deep_pictures_are_seen_as_they_look(tmp_path) -> None:
    frame = squares(1)[0]
    clear = np.concatenate([frame, (frame.max(-1, keepdims=True) > 0) * np.uint8(255)], -1)
    assert (pixels_of(Image.fromarray(clear), COLOUR)[0, 0] == 255).all(), "nothing lies on white"
    assert (pixels_of(Image.fromarray(clear), COLOUR)[3, 1] == (250, 120, 10)).all()
    palette = Image.fromarray(frame).quantize(8)
    assert np.abs(pixels_of(palette, COLOUR).astype(int) - frame).max() < 3
    deep = Image.fromarray(frame[..., 0].astype(np.uint16) * 256)
    assert (pixels_of(deep, GREY)[..., 0] == frame[..., 0]).all()
    assert pixels_of(Image.fromarray(frame).convert("1"), GREY).max() == 255
    assert pixels_of(Image.fromarray(frame).convert("CMYK"), COLOUR).shape == (16, 16, 3)


def test_crops_keep_their_part() -> None:
    frame = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    assert (pixels_of(Image.fromarray(frame[..., 0]), Shape(2, 3, 1, "1,4,3,2"))[..., 0] == frame[4:6, 1:4, 0]).all()
    assert (resized(frame[None], Shape(2, 3, 1, "1,4,3,2"))[0] == frame[4:6, 1:4]).all()
    assert Shape(10, 20, 1, "centre").box(100, 100) == (0, 25, 100, 75)
    with pytest.raises(DataError, match=r"`crop='1,4,8,2'` goes over the edge of a frame of 8x8"):
        resized(frame[None], Shape(2, 3, 1, "1,4,8,2"))
    for crop in ("middle", "1,2,3", "0,0,0,4", "a,b,c,d"):
        with pytest.raises(ConfigError, match="`crop` must be"):
            Shape(2, 2, 1, crop).box(8, 8)


def test_arrays_with_other_channels_are_told() -> None:
    frame = np.zeros((2, 16, 16, 4), np.uint8)
    for channels, codec in ((4, FrameCodec(COLOUR)), (4, FrameCodec(GREY)), (2, FrameCodec(GREY)), (3, FrameCodec(Shape(16, 16, 4)))):
        told = f"here: its frames have {channels} channels, and frames of {codec.shape.channels} are read"
        with pytest.raises(DataError, match=told):
            seen(frame[..., :channels], codec)
    assert seen(frame[..., :1], FrameCodec(COLOUR))[0].shape == (2, 16, 16, 3) and seen(frame[..., :3], FrameCodec(GREY))[0].shape == (
        2,
        16,
        16,
        1,
    )
    assert seen(frame)[0].shape == (2, 16, 16, 4), "sensors may have any number"
    with pytest.raises(DataError, match=r"here: a clip must be an array \[T, H, W, C\], got one of shape \[16, 16, 4\]"):
        seen(frame[0])


def test_a_real_array_is_scaled_as_a_picture_is() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (8, 12, 1), np.uint8)
    whole, real = (resized(frame[None].astype(kind), Shape(4, 6, 1)) for kind in (np.uint8, np.float32))
    pillow = np.asarray(Image.fromarray(frame[..., 0]).resize((6, 4), Image.Resampling.BILINEAR))
    assert np.abs(whole[0, ..., 0].astype(int) - pillow).max() <= 1
    assert np.abs(real - whole).max() <= 0.5


def test_the_first_clip_says_size_and_rate(tmp_path) -> None:
    found, told, seeing = seen(Clip(save_video(tmp_path / "a.mp4", squares(6, 128), rate=8)))
    assert found.shape == (6, 64, 64, 3) and found.dtype == np.uint8 and not told
    assert seeing.codec is not None and seeing.codec.rate == pytest.approx(8)


@pytest.mark.parametrize(("rate", "which"), [(10, [0, 1, 2, 3, 4, 5, 6, 7]), (5, [0, 2, 4, 6]), (20, [k // 2 for k in range(16)])])
def test_frames_are_taken_at_a_rate(rate, which, tmp_path) -> None:
    path = save_gif(tmp_path / "a.gif", squares(8), 100)
    found, told, _ = seen(Clip(path), FrameCodec(COLOUR, rate))
    lefts = found[:, 3].max(-1).argmax(1)
    assert len(lefts) == len(which) and np.abs(lefts - which).max() <= (rate == 20), "half-way between two frames either is the nearest"
    assert any("not at" in one for one in told) is (rate != 10)


def test_a_variable_rate_is_told_and_evened_out(tmp_path) -> None:
    path = save_video(tmp_path / "a.mp4", squares(6), rate=10, times=[0, 1, 2, 6, 7, 8])
    found, told, _ = seen(Clip(path), FrameCodec(COLOUR, 10.0))
    apart = np.abs(found[:, None].astype(int) - squares(6)).mean((2, 3, 4))
    assert apart.argmin(1).tolist() == [0, 1, 2, 2, 3, 3, 3, 4, 5, 5]
    assert "variable frame rate" in told[0]


def test_part_of_a_clip_is_seen(tmp_path) -> None:
    path = save_gif(tmp_path / "a.gif", squares(8), 100)
    found, _, _ = seen(Clip(path, 0.2, 0.5), FrameCodec(COLOUR, 10.0))
    assert found[:, 3].max(-1).argmax(1).tolist() == [2, 3, 4]
    assert len(seen(Clip(path, 0.7, 0.9), FrameCodec(COLOUR, 10.0))[0]) == 1, "a frame more than there is may be due to rounding"
    for begin, end in ((0.2, 0.91), (2, 3)):
        with pytest.raises(DataError, match=rf"a\.gif, {begin} to {end} ends after the clip, which ends at 0\.8\. Mend its times"):
            seen(Clip(path, begin, end), FrameCodec(COLOUR, 10.0))
    with pytest.raises(DataError, match=r"here: .*2 to the end has no frame in that time"):
        seen(Clip(path, 2), FrameCodec(COLOUR, 10.0))


def test_parts_of_a_video_begin_where_they_are_said_to(tmp_path) -> None:
    path = save_gif(tmp_path / "a.gif", squares(8), 100)
    for rate in (10.0, 5.0):
        found, _, _ = seen(Clip(path, 0.3, 0.7), FrameCodec(COLOUR, rate))
        assert found[:, 3].max(-1).argmax(1).tolist() == [[3, 4, 5, 6], [3, 5]][rate == 5]


def test_times_of_folders_and_tables_count_frames_unless_a_rate_is_asked_for(tmp_path) -> None:
    for number, frame in enumerate(squares(8)):
        save(tmp_path / "clip" / f"{number}.png", frame)
    (tmp_path / "s.csv").write_text("\n".join(f"{n},{n}" for n in range(8)))
    video = Clip(save_gif(tmp_path / "a.gif", squares(8), 40))
    for shape in (None, (1, 2, 1)):
        path = tmp_path / ("clip" if shape is None else "s.csv")
        parts = [Clip(path, begin, end, shape) for begin, end in ((2, 4), (0.2, 0.4))]
        for part, asked in ((parts[0], None), (parts[1], 10.0)):
            seeing = Seeing(choose=partial(FrameCodec.choose, size=(2, 1), fps=asked))
            seeing(video, "first")
            expected = seeing(Clip(path, shape=shape), "all")[2:4]
            assert (seeing(part, "part") == expected).all() and len(seeing(part, "part")) == 2
            assert seeing.tags(part, [(part.begin, part.end, "x")], 8, "all") == ("O", "O", "x", "x", *"OOOO")
            with pytest.raises(DataError, match="ends after the clip"):
                seeing(Clip(path, 0, 10 / (asked or 1), shape), "past")


def test_videos_after_a_folder_keep_their_seconds(tmp_path) -> None:
    save(tmp_path / "clip" / "0.png", squares(1)[0])
    seeing, video = Seeing(choose=FrameCodec.choose), Clip(save_gif(tmp_path / "a.gif", squares(4), 100))
    seeing(Clip(tmp_path / "clip"), "first")
    assert len(seeing(video, "here")) == 4 and seeing.tags(video, [(0.1, 0.3, "x")], 4, "here") == ("O", "x", "x", "O")


def test_other_sizes_are_scaled_and_told(tmp_path) -> None:
    seeing = Seeing(choose=FrameCodec.choose)
    seeing(Clip(save(tmp_path / "a.png", squares(1)[0])), "a")
    assert seeing(Clip(save(tmp_path / "b.png", squares(1, 24)[0])), "b").shape == (1, 16, 16, 3)
    with pytest.warns(UnrolledWarning, match=r"Frames are of 2 sizes: b is another one than the first, of 16x16\. All are scaled to 16x16"):
        seeing.report()


def test_intervals_become_tags_and_later_ones_count() -> None:
    seeing, clip = Seeing(FrameCodec(COLOUR, 10.0, asked=True)), Clip(Path("x"))
    assert seeing.tags(clip, [(0.1, 0.4, "a"), (0.3, 0.5, "b")], 6, "x") == ("O", "a", "a", "b", "b", "O")
    with pytest.warns(UnrolledWarning, match=r"x: 1 interval begins before the one before ends\. Where two overlap the later one counts"):
        seeing.report()
    alone = Seeing(FrameCodec(COLOUR, None))
    assert alone.tags(clip, [(1, 3, "a")], 4, "x") == ("O", "a", "a", "O"), "without a rate frames are counted"
    assert alone.tags(clip, [(2, 5, "a"), (0, 1, "b")], 4, "x") == ("b", "O", "a", "a"), "a frame more than there is may be due to rounding"
    assert alone.tags(clip, [(2, math.inf, "a")], 4, "x") == ("O", "O", "a", "a")
    for begin, end in ((2, 6), (4, 5), (4, math.inf)):
        with pytest.raises(DataError, match=r"x: the interval .* ends after the clip, which has 4 frames\. Mend"):
            alone.tags(clip, [(begin, end, "a")], 4, "x")
    with pytest.raises(DataError, match=re.escape("x: the interval 0.5 to 0.9 (c) ends after the clip, which has 6 frames at 10 a second")):
        seeing.tags(clip, [(0.5, 0.9, "c")], 6, "x")


def test_frames_outside_may_have_no_tag() -> None:
    seeing = Seeing(FrameCodec(COLOUR, None, None, NO_TAG))
    assert seeing.tags(Clip(Path("x")), [(1, 2, "a")], 3, "x") == ("", "a", "")


def test_a_codec_comes_back_from_json() -> None:
    codec = FrameCodec(Shape(2, 3, 1, "centre"), 12.5)
    frames = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 1), np.uint8)

    learnt = codec.learn(InMemory(frames), np.arange(5))
    assert FrameCodec.from_json(learnt.to_json()).to_json() == learnt.to_json()
    standard = learnt.apply(frames)
    assert standard.shape == (5, 1, 2, 3) and abs(standard.mean()) < 1e-6 and standard.std() == pytest.approx(1, abs=1e-5)
    assert np.abs(learnt.restore(standard) - frames).max() < 1e-3


@pytest.mark.parametrize(("largest", "told"), [((300, 4000), True), ((300, 60000), False), ((200, 255), False)])
def test_pictures_of_16_bits_that_fill_12_are_told(tmp_path, largest, told):
    seeing = Seeing(FrameCodec(GREY))
    for number, value in enumerate(largest):
        Image.fromarray(np.full((16, 16), value, np.uint16)).save(tmp_path / f"{number}.png")
        seeing(Clip(tmp_path / f"{number}.png"), str(number))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        seeing.report(sizes=False)
    assert len(found) == told
    if told:
        assert re.search(
            r"0\.png and 1 more pictures of 16 bits fill 12 of them, and are seen nearly black\. Multiply their pixels by 16",
            str(found[0].message),
        )
