"""The engines that this machine has: all of them, but for `native` where there is no C compiler."""

import pytest

from unrolled.engines import ENGINES
from unrolled.engines.native.compilers import find_compiler
from unrolled.errors import BuildError


def _compiler() -> str:
    try:
        return find_compiler().version
    except BuildError:
        return ""


HERE = tuple(engine for engine in ENGINES if engine != "native" or _compiler())
needs_native = pytest.mark.skipif("native" not in HERE, reason="no C compiler works here")
