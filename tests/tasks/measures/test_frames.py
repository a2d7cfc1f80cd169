"""Measures of frames, beside loops over all places."""

import numpy as np
import pytest
import torch

from unrolled.tasks.measures.frames import FrameScores, measure_frames, ssim


def similarity(one, other):
    """Of two planes `[H, W]`, window by window."""
    size = [min(11, n) for n in one.shape]
    rows, columns = (np.exp(-((np.arange(n) - (n - 1) / 2) ** 2) / (2 * 1.5**2)) for n in size)
    weights = np.outer(rows, columns) / (rows.sum() * columns.sum())
    found = []
    for y in range(one.shape[0] - size[0] + 1):
        for x in range(one.shape[1] - size[1] + 1):
            a, b = (plane[y : y + size[0], x : x + size[1]] for plane in (one, other))
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
            vab = (weights * (a - ma) * (b - mb)).sum()
            found.append((2 * ma * mb + 1e-4) * (2 * vab + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4)))
    return np.mean(found)


@pytest.mark.parametrize("size", [(14, 13), (7, 16), (5, 5)])
def test_ssim_is_that_of_each_window(size):
    chance = np.random.default_rng(0)
    one, other = chance.random((2, 3, 2, *size))
    other = 0.7 * one + 0.3 * other
    wanted = [np.mean([similarity(a, b) for a, b in zip(*pair, strict=True)]) for pair in zip(one, other, strict=True)]
    found = ssim(torch.from_numpy(one), torch.from_numpy(other))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10)
    torch.testing.assert_close(ssim(torch.from_numpy(one), torch.from_numpy(one)), torch.ones(3, dtype=torch.float64))


def test_errors_and_noise_are_summed_over_clips_step_by_step():
    said, true = torch.zeros(2, 3, 1, 4, 4), torch.zeros(2, 3, 1, 4, 4)
    said[0, 1], said[1, 2, :, :2] = 0.1, -0.5
    mse, mae, _, psnr = measure_frames(said, true)
    np.testing.assert_allclose(mse, [0.01, 0.125], rtol=1e-6)
    np.testing.assert_allclose(mae, [0.1, 0.25], rtol=1e-6)
    np.testing.assert_allclose(psnr, [20 + 100 + 100, 10 * np.log10(8) + 200], rtol=1e-6)
    np.testing.assert_allclose(measure_frames(said, true, 4.0), measure_frames(said, true) * [[16], [4], [1], [1]], rtol=1e-12)


def test_scores_have_the_names_that_are_asked_for():
    free = np.array([[0.1, 0.3], [0.2, 0.4], [0.9, 0.7], [20, 10]])
    scores = FrameScores(free, free / 2, {"last-frame": 2 * free}, 7, 100)
    found = scores.to_json()
    assert {name: found[name] for name in ("mse", "mae", "ssim", "psnr", "windows")} == pytest.approx(
        {"mse": 0.2, "mae": 0.3, "ssim": 0.8, "psnr": 15, "windows": 7}
    )
    assert found["mse_per_frame"] == pytest.approx(20) and found["mae_per_frame"] == pytest.approx(30)
    assert found["rivals"]["last-frame"]["mse"] == pytest.approx(0.4) and found["teacher_forcing"]["ssim"] == pytest.approx(0.4)
    assert found["steps"]["mse"] == [0.1, 0.3]
    assert "last-frame" in scores.text and scores.text.endswith("over 7 windows with 2 frames to say") and found["range"] == [0, 1]
    assert FrameScores(free, None, range=(-2.0, 30.0)).text.endswith("of values from -2 to 30")
    assert FrameScores(free, None).to_json()["teacher_forcing"] is None
