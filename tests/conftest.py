import os

# Small networks are fastest on one thread, and then several test runs do not wait for each other's threads.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """What the tests encode is kept apart from what the user has."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("UNROLLED_CACHE", str(folder))
        yield folder
