import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """What the tests encode is kept apart from what the user has."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("UNROLLED_CACHE", str(folder))
        yield folder
