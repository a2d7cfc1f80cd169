"""ONNX Runtime's recurrent operators, for inference. The weights are constants of the model, which it packs when a session is made."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

from side_by_side.material import Arrays, Contender, Material, is_step, is_training

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
    if case.cell not in OPERATORS or is_training(case) or case.dtype != "float32":
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(_model(material).SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {"X": material.x.numpy()}
    if material.lengths is not None:
        given["sequence_lens"] = material.lengths.numpy().astype(np.int32)

    if is_step(case):
        return _of_step(session, given)

    def call() -> np.ndarray:
        return session.run(["Y"], given)[0]

    return Contender("ONNX Runtime", call, lambda: {"y": call()[:, 0]})


def _of_step(session: onnxruntime.InferenceSession, given: Arrays) -> Contender:
    """The second step of a stream, which takes the states that the first one left."""
    outputs, states = session.get_outputs(), [i.name for i in session.get_inputs() if i.name.startswith("initial")]
    found = [output.name for output in outputs]
    given = given | {name: np.zeros([1, *given["X"].shape[1:2], outputs[0].shape[3]], np.float32) for name in states}
    first = session.run(found, given)
    given |= dict(zip(states, first[1:], strict=True))
    return Contender("ONNX Runtime", lambda: session.run(found, given), lambda: {"y": session.run(found, given)[0][0, 0]})


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
    letters = ("h", "c")[: 2 if operator == "LSTM" else 1] if is_step(case) else ()
    states = [f"initial_{letter}" for letter in letters]
    inputs = ["X", "W", "R", "B", lengths, *states]
    if "P" in weights:
        inputs = [*[*inputs, "", ""][:7], "P"]
    node = helper.make_node(operator, inputs, ["Y", *(f"Y_{letter}" for letter in letters)], hidden_size=case.units, **attributes)
    values = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [case.steps, case.batch, case.inputs])]
    if lengths:
        values.append(helper.make_tensor_value_info(lengths, TensorProto.INT32, [case.batch]))
    state = [1, case.batch, case.units]
    values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, state) for name in states]
    outputs = [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [case.steps, *state])]
    outputs += [helper.make_tensor_value_info(f"Y_{letter}", TensorProto.FLOAT, state) for letter in letters]
    graph = helper.make_graph([node], "layer", values, outputs, [numpy_helper.from_array(a, name) for name, a in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
