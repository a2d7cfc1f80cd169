"""Frames as features, and the networks that learn from them."""

import json

import numpy as np
import pytest
import torch

import unrolled as un
from pictures import save_gif, squares
from unrolled.errors import DataError
from unrolled.models.pretrained import FrozenEncoder
from unrolled.tasks.sequences.frame_features import features_of
from unrolled.training import Silent


def test_features_are_means_of_the_last_planes_frame_by_frame():
    frames = squares(3, 32)
    found = features_of(frames, "efficientnet-lite0")
    with torch.no_grad():
        planes = FrozenEncoder()(torch.from_numpy(frames[1:2].transpose(0, 3, 1, 2)).float())
    np.testing.assert_allclose(found[1], planes.mean((2, 3))[0].numpy(), atol=1e-4)
    grey = features_of(frames[..., :1], "efficientnet-lite0")
    np.testing.assert_allclose(grey, features_of(frames[..., :1].repeat(3, -1), "efficientnet-lite0"), atol=1e-5)
    with pytest.raises(DataError, match=r"reads frames of bytes of at least 32 × 32 pixels, got uint8 of \[16, 16\]"):
        features_of(squares(1), "efficientnet-lite0")


def test_a_run_keeps_how_its_frames_were_encoded(tmp_path):
    for kind, step in (("slow", 1), ("fast", 5)):
        (tmp_path / "clips" / kind).mkdir(parents=True)
        for number in range(3):
            save_gif(tmp_path / "clips" / kind / f"{number}.gif", squares(3 + number, 32, step))
    ways = {"encoder": "efficientnet-lite0", "hidden": 4, "epochs": 1, "held_out": 0.0, "device": "cpu", "display": Silent()}
    trained = un.train_classifier(tmp_path / "clips", out=tmp_path / "run", **ways)
    assert trained.codecs.inputs.pixels is None and len(trained.codecs.inputs.numbers.mean) == 1280
    stored = json.loads((tmp_path / "run" / "codecs.json").read_text())
    assert stored["inputs"]["frames"]["encoder"] == "efficientnet-lite0"
    again = un.load(tmp_path / "run").predict([tmp_path / "clips" / "slow" / "0.gif"])
    assert again[0].scores == pytest.approx(trained.predict([squares(3, 32)])[0].scores, abs=0.05)
