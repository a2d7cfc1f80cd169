import pytest

import unrolled as un
from unrolled.errors import ConfigError
from unrolled.training import Silent


def test_a_margin_of_entities_needs_a_tag_for_what_is_none(tmp_path):
    data = tmp_path / "tags.conll"
    data.write_text("a X\nb Y\n\nb Y\na X\n\na X\na X\n")
    options = {"hidden": 3, "embedding": 2, "characters": 2, "character_hidden": 2, "epochs": 1, "display": Silent()}
    with pytest.raises(ConfigError, match="`entity_margin` needs a tag O for steps that are none, got the tags X, Y"):
        un.train_tagger(data, out=tmp_path / "run", entity_margin=1.0, **options)
