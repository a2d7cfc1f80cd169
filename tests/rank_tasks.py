"""What two processes do with a drop-in, or with torch.nn's layer: each its part of the batch, with one result for both."""

from contextlib import nullcontext
from functools import cache

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, Replicate, distribute_module, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from pairs import INPUTS, UNITS, classes, flat, make_pair
from ranks import WORLD

ROUNDS, RATE = 3, 0.05


def drawn(kind, engine, **more):
    """A pair of two layers in both directions, and four rows of input; `more` is for ours alone."""
    pair = make_pair(kind, engine, layers=2, bidirectional=True, batch=4, steps=5)
    if more:
        ours, _, own = classes(kind)
        layer = ours(INPUTS, UNITS, 2, bidirectional=True, engine=engine, dtype=torch.float64, **own, **more)
        layer.load_state_dict(pair.theirs.state_dict())
        pair = pair._replace(ours=layer)
    return pair


def square(result):
    """A loss that is a sum over rows."""
    return sum(t.square().sum() for t in flat(result)) / 10


def trained(layer, x, scale=1.0, parameters=None, apart=nullcontext):
    """Three steps of SGD, each on the gradients of two passes, of which the first is run `apart`."""
    parameters = list(layer.parameters()) if parameters is None else parameters
    optimiser = torch.optim.SGD(parameters, RATE)
    losses = []
    for _ in range(ROUNDS):
        optimiser.zero_grad()
        with apart():
            (scale * square(layer(x.flip(0)))).backward()
        loss = square(layer(x))
        (scale * loss).backward()
        optimiser.step()
        losses.append(loss.item())
    return torch.tensor(losses, dtype=torch.float64)


@cache
def whole(kind):
    """The parameters that one process has after training torch.nn's layer on the whole batch."""
    pair = drawn(kind, "auto")
    trained(pair.theirs, pair.x)
    return [p.detach() for p in pair.theirs.parameters()]


def data_parallel(rank, kind, engine, rows, no_sync, options):
    """Ours under DistributedDataParallel, with so many rows for each process."""
    pair = drawn(kind, engine)
    model = DistributedDataParallel(pair.ours, **options)
    trained(model, pair.x.split(rows, 1)[rank], WORLD, apart=model.no_sync if no_sync else nullcontext)
    return [p.detach() for p in pair.ours.parameters()]


def fully_sharded(rank, side, kind, engine, rows, options, more):
    """One of the two layers under FSDP2."""
    pair = drawn(kind, engine, **more)
    layer = getattr(pair, side)
    narrow = options.pop("narrow", False)
    if narrow:
        options["mp_policy"] = MixedPrecisionPolicy(param_dtype=torch.bfloat16)
    fully_shard(layer, mesh=init_device_mesh("cpu", (WORLD,)), **options)
    losses = trained(layer, pair.x.split(rows, 1)[rank], WORLD)
    return losses, [p.full_tensor().detach() for p in layer.parameters()]


def saved_in_parts(rank, kind, engine, folder):
    """Ours under FSDP2, trained, and saved by both processes; the full parameters."""
    pair = drawn(kind, engine)
    fully_shard(pair.ours, mesh=init_device_mesh("cpu", (WORLD,)))
    trained(pair.ours, pair.x, WORLD)
    dcp.save({"model": get_model_state_dict(pair.ours)}, checkpoint_id=folder)
    return [p.full_tensor().detach() for p in pair.ours.parameters()]


def loaded_in_parts(rank, kind, engine, folder):
    """Ours under FSDP2 with what one process has saved of torch.nn's layer."""
    ours, _, own = classes(kind)
    layer = ours(INPUTS, UNITS, 2, bidirectional=True, engine=engine, dtype=torch.float64, **own)
    fully_shard(layer, mesh=init_device_mesh("cpu", (WORLD,)))
    state = {"model": get_model_state_dict(layer)}
    dcp.load(state, checkpoint_id=folder)
    layer.load_state_dict(state["model"])
    return [p.full_tensor().detach() for p in layer.parameters()]


def of_distributed_tensors(rank, side, kind, engine, gradients):
    """One of the two layers with weights, input and initial states that are DTensors; a text where torch or the layer refuses."""
    pair = drawn(kind, engine)
    mesh = init_device_mesh("cpu", (WORLD,))
    layer = distribute_module(getattr(pair, side), mesh)
    x, h = (distribute_tensor(t, mesh, [Replicate()]) for t in (pair.x, begin(pair.x)))
    try:
        found = outputs_and_gradients(layer, x, h, gradients)
    except (NotImplementedError, RuntimeError) as error:
        return str(error)
    return [t.full_tensor().detach() if isinstance(t, DTensor) else t.detach() for t in found]


def begin(x):
    """An initial state for each row of `x`."""
    return torch.linspace(-1, 1, 4 * x.shape[1] * UNITS, dtype=x.dtype).view(4, x.shape[1], UNITS)


def outputs_and_gradients(layer, x, h, gradients):
    """The output, and with gradients those of all parameters."""
    with torch.set_grad_enabled(gradients):
        y, _ = layer(x, (h, h) if "LSTM" in type(layer).__name__ else h)
        if gradients:
            y.square().sum().backward()
    return [y, *(p.grad for p in layer.parameters() if gradients)]


def replicas_are_equal(rank, kind, engine):
    """Whether DistributedDataParallel gives both processes the parameters of the first."""
    torch.manual_seed(rank)
    ours, _, own = classes(kind)
    layer = ours(INPUTS, UNITS, 2, bidirectional=True, engine=engine, **own)
    before = [p.detach().clone() for p in layer.parameters()]
    model = DistributedDataParallel(layer)
    mine = torch.cat([p.detach().flatten() for p in layer.parameters()])
    both = [torch.empty_like(mine) for _ in range(WORLD)]
    dist.all_gather(both, mine)
    changed = any(not torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    return torch.equal(*both), changed
