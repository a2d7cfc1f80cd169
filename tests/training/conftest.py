import random

import pytest

from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent

SMALL = {"hidden": 8, "embedding": 6, "batch": 3, "window": 10, "epochs": 2, "evaluations": 4, "warmup": 3}


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    """A text with something to learn: words in random order."""
    path = tmp_path_factory.mktemp("text") / "words.txt"
    chance = random.Random(4)
    path.write_text("".join(chance.choice(["the cat ", "sat on ", "a mat.\n", "dogs run "]) for _ in range(200)), encoding="utf-8")
    return path


@pytest.fixture
def train(text, tmp_path):
    """Train in a new folder of that name; gives the folder."""

    def run(name="run", *, resume=False, display=None, **options):
        folder = RunFolder(tmp_path / name)
        data = () if resume else str(text)
        settings = options if resume else {**SMALL, **options}
        settings = {key: value for key, value in settings.items() if value is not None}
        folder.outcome = run_training(find_recipe("lm"), data, folder, settings, display or Silent(), resume=resume)
        return folder

    return run
