import numpy as np
import pytest
from PIL import Image

from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.pictures.ink import cut_to_ink, ink_factor
from unrolled.data.pictures.pixels import Shape, pixels_of, require_crop
from unrolled.data.pictures.seeing import Seen
from unrolled.errors import ConfigError

PAGE = np.full((60, 80, 1), 240, np.uint8)
PAGE[30:34, 20:28] = 10
PAGE[32, 40] = 50


@pytest.mark.parametrize(
    ("crop", "factor"), [("ink", 1), ("ink/2", 2), ("ink/16", 16), ("ink/0", None), ("ink/17", None), ("centre", None), (None, None)]
)
def test_ink_may_be_made_smaller(crop, factor):
    assert ink_factor(crop) == factor


def test_ink_lies_at_the_upper_left_of_the_ground():
    found = cut_to_ink(PAGE, 10, 30, 1)
    expected = np.full((10, 30, 1), 240)
    expected[2:6, 2:23] = PAGE[30:34, 20:41]
    np.testing.assert_array_equal(found, expected)


def test_smaller_ink_has_the_means_of_squares():
    found = cut_to_ink(PAGE, 10, 30, 2)
    expected = np.full((10, 30), 240.0)
    part = np.pad(PAGE[30:34, 20:41, 0].astype(float), ((0, 0), (0, 1)), constant_values=240)
    for i in range(2):
        for j in range(11):
            expected[2 + i, 2 + j] = round(part[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean())
    np.testing.assert_array_equal(found[..., 0], expected)


def test_what_does_not_fit_is_made_smaller_still():
    found = cut_to_ink(PAGE, 10, 13, 1)
    np.testing.assert_array_equal(found, cut_to_ink(PAGE, 10, 13, 3))
    assert (found[2, 2:4] < 100).all()


def test_an_empty_page_is_its_ground():
    assert (cut_to_ink(PAGE[:20], 4, 5, 1) == 240).all()


def test_pictures_are_cut_to_ink():
    image = Image.fromarray(PAGE[..., 0])
    np.testing.assert_array_equal(pixels_of(image, Shape(10, 30, 1, "ink/2")), cut_to_ink(PAGE, 10, 30, 2))
    with pytest.raises(ConfigError, match="`crop='ink'` needs a `size`"):
        FrameCodec.choose(Seen(60, 80, 1), crop="ink")
    with pytest.raises(ConfigError, match="`crop` must be centre, ink, ink/2 or the like, or left, top, width and height"):
        require_crop("ink/99")
