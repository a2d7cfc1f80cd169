"""Cells against ONNX Runtime's recurrent operators, which other people wrote and which know peepholes and both kinds of GRU."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

import unrolled as un
from engines_here import HERE
from unrolled.engines.fused import kernel_of

STEPS, BATCH, INPUTS, UNITS = 7, 5, 4, 6
LENGTHS = [7, 3, 1, 7, 4]


def gates(layer, reverse, names, kind, negated=()):
    """Blocks in ONNX's order, one below the other; a negated gate is one minus ours."""
    parts = [layer.block(f"{kind}_{g}", reverse=reverse).numpy() * (-1 if g in negated else 1) for g in names]
    return np.concatenate(parts)


def lstm(layer, reverse):
    order = "iofz"
    bias = gates(layer, reverse, order, "b")
    tensors = {
        "W": gates(layer, reverse, order, "W"),
        "R": gates(layer, reverse, order, "R"),
        "B": np.concatenate([bias, np.zeros_like(bias)]),
    }
    if layer.cell.name == "lstm-peephole":
        tensors["P"] = gates(layer, reverse, "iof", "p")
    return tensors


def gru_before(layer, reverse):
    parts = {kind: gates(layer, reverse, "urn", kind, negated="u") for kind in "WRb"}
    return {"W": parts["W"], "R": parts["R"], "B": np.concatenate([parts["b"], np.zeros_like(parts["b"])])}


def gru_after(layer, reverse):
    parts = {kind: gates(layer, reverse, "zrn", kind) for kind in "WRb"}
    second = np.concatenate([np.zeros(2 * UNITS, np.float32), layer.block("d_n", reverse=reverse).numpy()])
    return {"W": parts["W"], "R": parts["R"], "B": np.concatenate([parts["b"], second])}


def elman(layer, reverse):
    bias = layer.block("b_h", reverse=reverse).numpy()
    blocks = {"W": layer.block("W_h", reverse=reverse).numpy(), "R": layer.block("R_h", reverse=reverse).numpy()}
    return {**blocks, "B": np.concatenate([bias, np.zeros_like(bias)])}


OPERATORS = {
    "lstm": ("LSTM", lstm, {}),
    "lstm-peephole": ("LSTM", lstm, {}),
    "gru-reset-before": ("GRU", gru_before, {"linear_before_reset": 0}),
    "gru": ("GRU", gru_after, {"linear_before_reset": 1}),
    "elman": ("RNN", elman, {}),
    "elman-relu": ("RNN", elman, {"activations": ["Relu", "Relu"]}),
}

PAIRS = [(name, engine) for name in OPERATORS for engine in HERE if engine == "eager" or kernel_of(un.cells.BUILT_IN[name].recurrence)]


def run_onnx(operator, attributes, weights, x, state, lengths):
    """Outputs `[T, B, 2 H]` and final states of a bidirectional operator."""
    given = {"X": x, **weights, "sequence_lens": np.array(lengths, np.int32), "initial_h": state[0]}
    slots = ["X", "W", "R", "B", "sequence_lens", "initial_h"]
    results = ["Y", "Y_h"]
    if operator == "LSTM":
        given["initial_c"] = state[1]
        slots += ["initial_c", "P" if "P" in weights else ""]
        results.append("Y_c")
    node = helper.make_node(operator, slots, results, hidden_size=UNITS, direction="bidirectional", **attributes)
    kinds = {n: TensorProto.INT32 if n == "sequence_lens" else TensorProto.FLOAT for n in given}
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info(n, kinds[n], value.shape) for n, value in given.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in results],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    y, *final = session.run(None, given)
    return np.concatenate([y[:, 0], y[:, 1]], -1), final


@pytest.mark.parametrize(("name", "engine"), PAIRS)
@pytest.mark.parametrize("lengths", [[STEPS] * BATCH, LENGTHS])
def test_a_cell_equals_the_operator(name, engine, lengths):
    operator, blocks, attributes = OPERATORS[name]
    torch.manual_seed(3)
    layer = un.Recurrent(name, INPUTS, UNITS, bidirectional=True, engine=engine)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    x = torch.randn(STEPS, BATCH, INPUTS)
    state = tuple(torch.randn(2, BATCH, UNITS) * 0.5 for _ in layer.cell.states)
    weights = {key: np.stack([blocks(layer, False)[key], blocks(layer, True)[key]]) for key in blocks(layer, False)}
    expected, last = run_onnx(operator, attributes, weights, x.numpy(), [s.numpy() for s in state], lengths)
    with torch.no_grad():
        y, final = layer(x, state, lengths=lengths)
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-6, rtol=0)
    for got, wanted in zip(final, last, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted, atol=1e-6, rtol=0)
