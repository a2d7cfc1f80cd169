"""ONNX Runtime's recurrent operators, for inference. The weights are constants of the model, which it packs when a session is made."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from side_by_side.cases import MODES
from side_by_side.material import Arrays, Contender, Material

OPERATORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "lstm": ("LSTM", "iofz", {}),
    "lstm-peephole": ("LSTM", "iofz", {}),
    "gru": ("GRU", "zrn", {"linear_before_reset": 1}),
    "gru-reset-before": ("GRU", "urn", {"linear_before_reset": 0}),
    "elman": ("RNN", "h", {}),
}
"""The operator of each cell, our names of its gates in its order, and its attributes."""


def onnx_runtime(material: Material, threads: int) -> Contender | None:
    """The case as a session; None where ONNX Runtime has no operator (its recurrent ones know float32 alone)."""
    case = material.case
    if case.cell not in OPERATORS or case.mode != MODES[0] or case.dtype != "float32":
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(_model(material).SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {"X": material.x.numpy()}
    if material.lengths is not None:
        given["sequence_lens"] = material.lengths.numpy().astype(np.int32)

    def call() -> np.ndarray:
        return session.run(["Y"], given)[0]

    return Contender("ONNX Runtime", call, lambda: {"y": call()[:, 0]})


def _weights(material: Material) -> Arrays:
    """The operator's inputs. ONNX's update gate of a GRU keeps the old state, so `u` of gru-reset-before enters with its sign turned."""
    block, gates = material.layer.block, OPERATORS[material.case.cell][1]

    def stack(kind: str, names: str) -> np.ndarray:
        return np.concatenate([block(f"{kind}_{g}").numpy() * (-1 if g == "u" else 1) for g in names])

    bias = stack("b", gates)
    second = np.zeros_like(bias)
    if "d_n" in material.blocks:
        second[-material.case.units :] = block("d_n").numpy()
    arrays = {"W": stack("W", gates), "R": stack("R", gates), "B": np.concatenate([bias, second])}
    if "p_i" in material.blocks:
        arrays["P"] = stack("p", "iof")
    return {name: array[None] for name, array in arrays.items()}


def _model(material: Material) -> ModelProto:
    case, weights = material.case, _weights(material)
    operator, _, attributes = OPERATORS[case.cell]
    lengths = "" if material.lengths is None else "sequence_lens"
    inputs = ["X", "W", "R", "B", lengths, "", "", "P"] if "P" in weights else ["X", "W", "R", "B", lengths]
    node = helper.make_node(operator, inputs, ["Y"], hidden_size=case.units, **attributes)
    values = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [case.steps, case.batch, case.inputs])]
    if lengths:
        values.append(helper.make_tensor_value_info(lengths, TensorProto.INT32, [case.batch]))
    output = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [case.steps, 1, case.batch, case.units])
    graph = helper.make_graph([node], "layer", values, [output], [numpy_helper.from_array(a, name) for name, a in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
