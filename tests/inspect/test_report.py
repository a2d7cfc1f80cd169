"""Reports on networks whose answers have no names."""

from dataclasses import replace

import pytest
import torch

from input_batches import OPTIONS, SIZES, batch_of
from squares import Squares
from unrolled.errors import ConfigError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.inspect.report import Report, report_on
from unrolled.models import EachStep, Encoder, Softmax, Whole


def inspected(arrangement, head, targets, **more):
    torch.manual_seed(0)
    encoder = Encoder(SIZES, OPTIONS)
    model = Whole(encoder, "mean", head) if arrangement == "whole" else EachStep(encoder, head)
    return InspectionInput(model, batch_of((5,), torch.float32), tuple("abcde"), "step", targets=targets, **more)


@pytest.mark.parametrize("arrangement", ["whole", "each step"])
def test_numbers_are_predicted_without_a_section_on_their_probabilities(arrangement):
    once = arrangement == "whole"
    found = {s.name: s for s in report_on(inspected(arrangement, Squares(), torch.randn(*([1] if once else [5, 1]), 2)), at=2)}
    assert list(found) == ["memory", "forgetting", "gradient", "gates", "unrolled"]
    assert found["memory"].numbers["output"] is not None
    told = "the loss of the whole sequence" if once else "the loss at step 2"
    assert found["gradient"].shows.startswith(f"The norm of the gradient of {told} as it comes back")
    heading = "the answer of this network" if once else "what this network says of the step"
    assert f"What moves {heading}" in found["memory"].html()


def test_a_network_without_recurrent_layers_cannot_be_reported_on():
    given = inspected("each step", Softmax(3), None, answers="ABC")
    encoder = Encoder(SIZES, replace(OPTIONS, layers=0))
    with pytest.raises(ConfigError, match="`layers=0`"):
        report_on(replace(given, model=EachStep(encoder, Softmax(3))))


def test_a_page_holds_no_signs_that_cannot_be_seen_and_reaches_nothing():
    page = Report("a\x1b[31m\x00b\u202ec", ["\x7f\u2066"], []).html()
    assert "a␛[31m␀b[U+202E]c" in page and "␡[U+2066]" in page
    assert not [c for c in page if (ord(c) < 32 and c not in "\n\t") or c in "\x7f\u202e\u2066"]
    assert "default-src 'none'" in page.partition("<title>")[0]
