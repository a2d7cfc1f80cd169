"""A table of shops, and networks that learnt it."""

import numpy as np
import pytest

import unrolled as un
from small_forecasters import QUIET, H, season


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A table of two shops by month, with a price that is known and a count of visitors that is not, and one that ends earlier."""
    folder, rows = tmp_path_factory.mktemp("series"), ["shop,month,sold,price,visitors,town"]
    months = np.arange("2000-01", "2010-01", dtype="datetime64[M]")
    for seed, shop in enumerate("ab"):
        y, chance = season(len(months), seed), np.random.default_rng(seed)
        rows += [
            f"{shop},{month},{'' if at == 40 else f'{value:.2f}'},{at % 3},{chance.integers(100)},{'north' if seed else 'south'}"
            for at, (month, value) in enumerate(zip(months, y, strict=True))
        ]
    (folder / "all.csv").write_text("\n".join(rows) + "\n")
    (folder / "early.csv").write_text("\n".join(row for row in rows if "2009-0" not in row and "2009-1" not in row) + "\n")
    (folder / "one.csv").write_text("\n".join(rows[:121]) + "\n")
    (folder / "plain.csv").write_text("\n".join(",".join(row.split(",")[1:3]) for row in rows[:121]) + "\n")
    return folder


@pytest.fixture(scope="session")
def direct(folder):
    """A network that reads everything there is."""
    options = {"series": "shop", "target": "sold", "known": "price", "past": "visitors", "static": ["town", "shop"], "horizon": H}
    return un.train_forecaster(folder / "early.csv", out=folder / "direct", quantiles=[0.1, 0.5, 0.9], **options, **QUIET)


@pytest.fixture(scope="session")
def recursive(folder):
    """A network that feeds on its own draws."""
    options = {"target": "sold", "method": "recursive", "loss": "normal", "leave_out": 24, "horizon": H}
    return un.train_forecaster(folder / "plain.csv", out=folder / "recursive", **options, **QUIET)
