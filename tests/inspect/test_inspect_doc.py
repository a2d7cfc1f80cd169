"""What the page on seeing inside says of `un.inspect` works."""

import re
from pathlib import Path

import unrolled as un

PAGE = (Path(__file__).parents[2] / "docs" / "inspect.md").read_text(encoding="utf-8").partition("## The training doctor")[0]


def test_python_of_the_page_runs():
    """One block after the other, each with what those before it have made."""
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(block, "inspect.md", "exec"), names)
    assert "expected" in names


def test_the_functions_of_the_table_exist():
    for name in re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE):
        assert callable(getattr(un.inspect, name))
