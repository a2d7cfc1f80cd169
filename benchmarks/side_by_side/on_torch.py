"""Contenders that run in torch: our layer, the same cell in our eager loop, and torch.nn."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import unrolled as un
from side_by_side.material import (
    Arrays,
    Contender,
    Material,
    block_gradient,
    is_step,
    is_training,
    make_layer,
)

MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "elman": nn.RNN}
CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "elman": nn.RNNCell}
GATES = {"lstm": ("i", "f", "z", "o"), "gru": ("r", "z", "n"), "elman": ("h",)}
"""Our names of torch's gates, in torch's order."""


def ours(material: Material) -> Contender:
    """Our layer as it is."""
    return _of_layer("ours", material, material.layer)


def our_stream(material: Material) -> Contender | None:
    """Our layer as a stream with a state of its own, for single steps alone. It goes on from step to step, as streams do."""
    case, layer = material.case, material.layer
    if not is_step(case):
        return None
    stream, x_t = layer.stream(case.batch), material.x[0]
    stream.step(x_t)
    state = stream.state

    def results() -> Arrays:
        stream.state = state
        return {"y": stream.step(x_t).clone().numpy()}

    return Contender("ours, stream", lambda: stream.step(x_t), results)


def eager_loop(material: Material) -> Contender:
    """The same cell, step by step in torch operations: what writing a cell in torch amounts to."""
    layer = make_layer(material.case, "eager")
    layer.load_state_dict(material.layer.state_dict())
    return _of_layer("eager loop", material, layer)


def torch_nn(material: Material) -> Contender | None:
    """torch.nn's module; with lengths it reads a PackedSequence, which is made of and padded back to what the others read and give."""
    case = material.case
    if case.cell not in MODULES:
        return None
    kind = CELLS[case.cell] if is_step(case) else MODULES[case.cell]
    module = kind(case.inputs, case.units, dtype=material.dtype)
    suffix = "" if is_step(case) else "_l0"
    _load(module, material, suffix)

    def forward(x: Tensor) -> Tensor:
        if material.lengths is None:
            return module(x)[0]
        packed = pack_padded_sequence(x, material.lengths, enforce_sorted=False)
        return pad_packed_sequence(module(packed)[0], total_length=case.steps)[0]

    if is_step(case):
        return _of_step("torch.nn", _cell_step(module, material))
    return _of_forward("torch.nn", material, module, forward, lambda: _gradients(module, material, suffix))


def torch_nn_of_one_step(material: Material) -> Contender | None:
    """torch.nn's module given a sequence of one step, for single steps alone."""
    case = material.case
    if case.cell not in MODULES or not is_step(case):
        return None
    module = MODULES[case.cell](case.inputs, case.units, dtype=material.dtype)
    _load(module, material, "_l0")
    with torch.inference_mode():
        _, state = module(material.x)
    return _of_step("torch.nn, T = 1", lambda: module(material.x, state)[0][0])


def _of_layer(name: str, material: Material, layer: un.Recurrent) -> Contender:
    def engine() -> str:
        return layer.explain().rpartition("last call: engine ")[2].split()[0]

    if is_step(material.case):
        x_t = material.x[0]
        with torch.inference_mode():
            _, state = layer.step(x_t)
        return _of_step(name, lambda: layer.step(x_t, state)[0], engine)
    return _of_forward(
        name,
        material,
        layer,
        lambda x: layer(x, lengths=material.lengths)[0],
        lambda: {block: block_gradient(layer, block) for block in material.blocks},
        engine,
    )


def _cell_step(module: nn.Module, material: Material) -> Callable[[], Tensor]:
    """The second step of a stream, like ours."""
    x_t, is_lstm = material.x[0], isinstance(module, nn.LSTMCell)
    with torch.inference_mode():
        state = module(x_t)
    return (lambda: module(x_t, state)[0]) if is_lstm else (lambda: module(x_t, state))


def _of_step(name: str, step: Callable[[], Tensor], engine: Callable[[], str] = lambda: "") -> Contender:
    return Contender(name, step, lambda: {"y": step().numpy()}, engine=engine)


def _of_forward(
    name: str,
    material: Material,
    module: nn.Module,
    forward: Callable[[Tensor], Tensor],
    gradients: Callable[[], dict[str, Tensor]],
    engine: Callable[[], str] = lambda: "",
) -> Contender:
    x, cotangent = material.x.clone().requires_grad_(is_training(material.case)), material.cotangent

    def infer() -> Tensor:
        with torch.inference_mode():
            return forward(x)

    def train() -> Tensor:
        y = forward(x)
        y.backward(cotangent)
        return y

    def before() -> None:
        x.grad = None
        for parameter in module.parameters():
            parameter.grad = None

    def results() -> Arrays:
        before()
        found = {"y": train().detach(), "x": x.grad, **gradients()} if is_training(material.case) else {"y": infer()}
        return {key: value.numpy() for key, value in found.items() if value is not None}

    return Contender(name, train if is_training(material.case) else infer, results, before, engine)


def _load(module: nn.Module, material: Material, suffix: str) -> None:
    """Our parameters, which are torch's."""
    module.load_state_dict({f"{name.removesuffix('_l0')}{suffix}": value for name, value in material.layer.state_dict().items()})


def _gradients(module: nn.Module, material: Material, suffix: str) -> dict[str, Tensor]:
    gates = GATES[material.case.cell]
    found: dict[str, Tensor] = {}
    for letter, key in (("W", "weight_ih"), ("R", "weight_hh"), ("b", "bias_ih")):
        gradient = module.get_parameter(f"{key}{suffix}").grad
        assert gradient is not None
        found.update(zip((f"{letter}_{g}" for g in gates), gradient.chunk(len(gates)), strict=True))
    if "d_n" in material.blocks:
        second = module.get_parameter(f"bias_hh{suffix}").grad
        assert second is not None
        found["d_n"] = second[-material.case.units :]
    return found
