"""What a layer adds to a cell: lengths, one-hot input, depth, dropout, learned states, streaming, copies."""

import copy
import io
import itertools
import pickle

import pytest
import torch
import torch.nn.utils.prune

import unrolled as un
from by_hand import COMMON
from engines_here import HERE, needs_native
from unrolled.errors import ConfigError, EngineError, ShapeError

DOUBLE = torch.float64
every_engine = pytest.mark.parametrize("engine", HERE)


def layer_of(cell="lstm", inputs=3, units=4, *arguments, seed=0, **options):
    torch.manual_seed(seed)
    layer = un.Recurrent(cell, inputs, units, *arguments, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


@every_engine
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    "make", [list, tuple, torch.tensor, lambda n: torch.tensor(n, dtype=torch.int32), lambda n: torch.tensor(n, dtype=torch.uint8)]
)
def test_each_row_of_a_batch_equals_the_row_alone(make, bidirectional, engine):
    layer = layer_of("lstm", 3, 4, 2, bidirectional=bidirectional, engine=engine)
    lengths = [2, 0, 5, 3, 5]
    x, state = torch.randn(6, 5, 3, dtype=DOUBLE), tuple(torch.randn(4 if bidirectional else 2, 5, 4, dtype=DOUBLE) for _ in "hc")
    y, final = layer(x, state, lengths=make(lengths))
    for row, n in enumerate(lengths):
        alone, end = layer(x[:n, row], tuple(s[:, row] for s in state))
        torch.testing.assert_close(y[:n, row], alone, atol=1e-13, rtol=0)
        assert not y[n:, row].any()
        for got, wanted in zip(final, end, strict=True):
            torch.testing.assert_close(got[:, row], wanted, atol=1e-13, rtol=0)


@every_engine
def test_batch_first_lengths_and_states_at_every_step(engine):
    layer = layer_of("elman", 3, 4, 2, bidirectional=True, engine=engine)
    x = torch.randn(5, 2, 3, dtype=DOUBLE)
    y, final, (every,) = layer(x, lengths=[3, 5], return_states=True)
    layer.batch_first = True
    y_first, final_first, (every_first,) = layer(x.transpose(0, 1), lengths=[3, 5], return_states=True)
    assert torch.equal(y_first.transpose(0, 1), y)
    assert torch.equal(final_first[0], final[0])
    assert torch.equal(every_first.transpose(1, 2), every)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(("cell", "count"), [("lstm", 2), ("gru", 1)])
def test_return_states_gives_every_layer_and_direction(cell, count):
    layer = layer_of(cell, 3, 4, 3, bidirectional=True)
    y, final, every = layer(torch.randn(5, 2, 3, dtype=DOUBLE), return_states=True)
    assert [tuple(e.shape) for e in every] == [(6, 5, 2, 4)] * count
    torch.testing.assert_close(torch.cat([every[0][4], every[0][5]], -1), y)
    for e, f in zip(every, final, strict=True):
        torch.testing.assert_close(e[0::2, -1], f[0::2])
        torch.testing.assert_close(e[1::2, 0], f[1::2])
    _, _, unbatched = layer(torch.randn(5, 3, dtype=DOUBLE), return_states=True)
    assert unbatched[0].shape == (6, 5, 4)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("cell", COMMON)
@pytest.mark.parametrize("lengths", [None, [4, 0, 2]])
def test_whole_numbers_equal_one_hot_vectors_in_all_gradients(cell, lengths):
    layer = layer_of(cell, 6, 4, 2, bidirectional=True, residual=True, initial_state="learned")
    symbols = torch.randint(6, (4, 3))
    results = []
    for x in (symbols, symbols.int(), torch.nn.functional.one_hot(symbols, 6).double()):
        layer.zero_grad()
        y, state = layer(x, lengths=lengths)
        (y.square().sum() + sum(s.sin().sum() for s in state)).backward()
        results.append([y, *state, *(p.grad for p in layer.parameters())])
    for result, (got, wanted) in itertools.product(results[:2], zip(results[0], results[2], strict=True)):
        torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)
        assert len(result) == len(results[2])


def test_one_hot_vectors_are_never_made():
    symbols = 200_000
    layer = un.Recurrent("gru", symbols, 2)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        layer(torch.randint(symbols, (50, 8)))
    assert max(e.self_cpu_memory_usage for e in profile.events()) < 50 * 8 * symbols * 4 / 20


@pytest.mark.usefixtures("each_engine")
def test_whole_numbers_past_the_end_may_be_anything():
    layer = layer_of("gru", 6, 4)
    x = torch.tensor([[1, 2], [3, -100], [5, 99]])
    y, _ = layer(x, lengths=[3, 1])
    assert torch.equal(y, layer(x.clamp(0, 5), lengths=[3, 1])[0])
    with pytest.raises(ShapeError, match="got -100 to 5"):
        layer(x, lengths=[3, 2])


@every_engine
def test_residual_adds_each_input_from_the_second_layer_on(engine):
    layer = layer_of("elman", 3, 4, 3, residual=True, engine=engine)
    y = x = torch.randn(5, 2, 3, dtype=DOUBLE)
    for k in range(3):
        single = layer_of("elman", 3 if k == 0 else 4, 4, engine=engine)
        single.load_state_dict({f"{b}_l0": layer.block(b, k) for b in ("W_h", "R_h", "b_h")})
        out, _ = single(y)
        y = out if k == 0 else out + y
    torch.testing.assert_close(layer(x)[0], y)


@every_engine
def test_dropout_stands_between_layers_in_training_alone(engine):
    layer = layer_of("elman-relu", 3, 64, 2, dropout=0.25, engine=engine)
    with torch.no_grad():
        for b, k in itertools.product(("W_h", "R_h", "b_h"), (0, 1)):
            layer.block(b, k).zero_()
        layer.block("b_h", 0).fill_(3.0)
        layer.block("W_h", 1).copy_(torch.eye(64))
    x = torch.zeros(20, 10, 3, dtype=DOUBLE)
    y, _ = layer(x)
    assert set(y.unique().tolist()) == {0.0, 4.0}
    assert (y == 0).double().mean() == pytest.approx(0.25, abs=0.02)
    assert (layer.eval()(x)[0] == 3).all()


def test_a_single_layer_drops_nothing():
    layer = layer_of("elman", dropout=0.9)
    x = torch.randn(5, 2, 3, dtype=DOUBLE)
    assert torch.equal(layer(x)[0], layer.eval()(x)[0])


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("lengths", [None, [6, 9, 3]])
def test_recurrent_dropout_has_one_mask_for_a_whole_sequence(lengths):
    layer = layer_of("elman-relu", 3, 5, recurrent_dropout=0.5)
    with torch.no_grad():
        for b in ("W_h", "R_h"):
            layer.block(b).zero_()
        layer.block("b_h").fill_(1.0)
        layer.block("R_h").copy_(torch.eye(5))
    x = torch.zeros(9, 3, 3, dtype=DOUBLE)
    y, _ = layer(x, lengths=lengths)
    kept = 2.0 ** torch.arange(1, 10, dtype=DOUBLE) - 1
    units = [column[:n] for row, n in enumerate(lengths or [9] * 3) for column in y[:, row].T]
    verdicts = [torch.equal(u, kept[: len(u)]) for u in units]
    assert all(v or (u == 1).all() for u, v in zip(units, verdicts, strict=True))
    assert 0 < sum(verdicts) < len(units)
    plain = torch.arange(1, 10, dtype=DOUBLE)
    assert torch.equal(layer.eval()(x)[0][:, 0, 0], plain)


@pytest.mark.usefixtures("each_engine")
def test_recurrent_dropout_differs_between_calls_rows_layers_and_directions():
    layer = layer_of("lstm", 3, 32, recurrent_dropout=0.5, bidirectional=True)
    x = torch.randn(4, 1, 3, dtype=DOUBLE).expand(-1, 2, -1)
    y, z = layer(x)[0], layer(x)[0]
    assert not torch.allclose(y, z)
    assert not torch.allclose(y[:, 0], y[:, 1])


def test_recurrent_dropout_with_a_projection():
    layer = un.LSTM(3, 32, proj_size=8, recurrent_dropout=0.5, engine="eager")
    x = torch.randn(4, 2, 3)
    y, (h, c) = layer(x)
    assert (y.shape, h.shape, c.shape) == ((4, 2, 8), (1, 2, 8), (1, 2, 32))
    assert not torch.allclose(y, layer.eval()(x)[0])


@every_engine
@pytest.mark.parametrize("lengths", [None, [3, 0]])
def test_a_learned_initial_state_is_read_learned_and_given_back(lengths, engine):
    layer = layer_of("lstm", 3, 4, 2, bidirectional=True, initial_state="learned", engine=engine)
    x = torch.randn(3, 2, 3, dtype=DOUBLE)
    y, final = layer(x, lengths=lengths)
    places = ["l0", "l0_reverse", "l1", "l1_reverse"]
    start = tuple(torch.stack([layer.get_parameter(f"{s}_0_{p}") for p in places])[:, None].expand(-1, 2, -1) for s in "hc")
    torch.testing.assert_close(y, layer(x, start, lengths=lengths)[0])
    if lengths:
        for s, f in zip(start, final, strict=True):
            assert torch.equal(f[:, 1], s[:, 1])
    y.sum().backward()
    assert all(layer.get_parameter(f"{s}_0_{p}").grad.abs().min() > 0 for s in "hc" for p in places)


def test_learned_initial_states_begin_at_zero():
    layer = un.Recurrent("lstm", 3, 4, initial_state="learned")
    assert not layer.h_0_l0.any()
    assert not layer.c_0_l0.any()


TORCH_ROWS = {un.LSTM: "ifzo", un.GRU: "rzn"}


@pytest.mark.parametrize("kind", TORCH_ROWS)
def test_blocks_of_a_drop_in_are_views_into_the_stacked_parameters_or_sums_of_two(kind):
    layer = kind(3, 4, 2, bidirectional=True)
    layer.reset_parameters("torch")
    for (k, reverse), (row, gate) in itertools.product([(0, False), (0, True), (1, False), (1, True)], enumerate(TORCH_ROWS[kind])):
        place = f"l{k}{'_reverse' if reverse else ''}"
        for letter, stored in (("W", "weight_ih"), ("R", "weight_hh")):
            block, parameter = layer.block(f"{letter}_{gate}", k, reverse), layer.get_parameter(f"{stored}_{place}")
            assert not block.requires_grad
            block.fill_(float(row + 10 * k + 5 * reverse))
            assert (parameter[4 * row : 4 * row + 4] == row + 10 * k + 5 * reverse).all()
        first, second = (layer.get_parameter(f"bias_{part}_{place}").detach()[4 * row : 4 * row + 4] for part in ("ih", "hh"))
        if kind is un.GRU and gate == "n":
            assert layer.block("b_n", k, reverse).equal(first) and layer.block("d_n", k, reverse).equal(second)
        else:
            assert layer.block(f"b_{gate}", k, reverse).equal(first + second)
    if kind is un.GRU:
        layer.block("d_n", 1).fill_(7.0)
        assert (layer.bias_hh_l1[8:] == 7).all()


def _pruned():
    layer = un.Recurrent("lstm", 3, 4)
    torch.nn.utils.prune.l1_unstructured(layer, "R_f_l0", 0.5)
    return layer


def _orthogonal():
    return torch.nn.utils.parametrizations.orthogonal(un.Recurrent("lstm", 3, 4), "R_f_l0")


@pytest.mark.parametrize(
    ("make", "name", "stored"),
    [
        (lambda: un.LSTM(3, 4, 2), "b_f", "'bias_ih_l0' and 'bias_hh_l0'"),
        (_pruned, "R_f", "'R_f_l0'"),
        (_orthogonal, "R_f", "'R_f_l0'"),
    ],
)
def test_blocks_that_are_computed_can_be_read_and_not_written(make, name, stored):
    layer = make()
    block, before = layer.block(name), layer.block(name).clone()
    for write in (
        lambda: block.zero_(),
        lambda: block.__setitem__(0, 1.0),
        lambda: block.__iadd__(1),
        lambda: torch.add(before, 1, out=block),
        lambda: torch.nn.init.uniform_(block),
        lambda: block.copy_(before + 1),
        lambda: block[:1].fill_(2.0),
        lambda: block.data.fill_(2.0),
    ):
        with pytest.raises(ConfigError, match=f"The block '{name}' is computed from {stored}, so writing to it changes nothing"):
            write()
    assert type(before) is torch.Tensor and layer.block(name).equal(before)
    assert (2 * block).equal(before + before) and block.shape == before.shape and type(block.mean()) is torch.Tensor


def test_blocks_of_a_recurrent_layer_are_views_too():
    layer = layer_of("lstm-peephole", 3, 4, 2, bidirectional=True)
    layer.block("p_f", 1, reverse=True).fill_(7.0)
    assert (layer.p_f_l1_reverse == 7).all()
    assert not (layer.p_f_l1 == 7).any()
    assert layer.block("W_f", 1).shape == (4, 8)


@pytest.mark.parametrize(("arguments", "said"), [(("R_q",), "It has W_i"), (("R_f", 2), "no layer 2"), (("R_f", 0, True), "in reverse")])
def test_a_block_that_is_not_there(arguments, said):
    with pytest.raises(ConfigError, match=said):
        un.LSTM(3, 4, 2).block(*arguments)


def test_a_bias_that_was_left_out_is_no_block():
    with pytest.raises(ConfigError, match="no stored block 'b_f'"):
        un.LSTM(3, 4, bias=False).block("b_f")


@needs_native
def test_explain_says_what_would_run_and_what_ran():
    layer = un.LSTM(3, 4)
    said = layer.explain().splitlines()
    assert said[0] == "cell 'lstm', 1 x 4 units, input 3"
    assert said[1].startswith("dense input: engine native (") and "compiled for this processor" in said[1]
    assert said[2].startswith("whole numbers (one-hot): engine native (")
    assert said[3] == "last call: none yet"
    layer(torch.zeros(2, 3, dtype=torch.long))
    assert layer.explain().splitlines()[3].startswith("last call: engine native")


def test_explain_says_what_runs_without_a_compiler(no_compiler):
    layer = un.LSTM(3, 4)
    said = layer.explain().splitlines()
    assert said[1].startswith("dense input: engine torch (not native: no C compiler works here") and "torch.lstm" in said[1]
    assert said[2].startswith("whole numbers (one-hot): engine eager (not native: no C compiler") and "not torch: " in said[2]
    layer(torch.zeros(2, 3, dtype=torch.long))
    assert layer.explain().splitlines()[3].startswith("last call: engine eager")


def test_explain_says_what_is_refused():
    said = un.LSTM(3, 4, engine="torch").explain()
    assert "dense input: engine torch (engine='torch': " in said
    assert "whole numbers (one-hot): refused" in said


@pytest.mark.parametrize(
    ("cell", "options", "x", "more", "reason"),
    [
        ("gru-simplified", {}, torch.zeros(2, 1, 3), {}, "no kernel for these equations"),
        ("lstm-projected", {}, torch.zeros(2, 1, 3), {}, "projects to fewer units"),
        ("lstm", {}, torch.zeros(2, 1, dtype=torch.long), {}, "dense input"),
        ("lstm", {"recurrent_dropout": 0.5}, torch.zeros(2, 1, 3), {}, "recurrent dropout"),
        ("lstm", {}, torch.zeros(2, 1, 3), {"return_states": True}, "every state"),
    ],
)
def test_a_named_engine_that_cannot_says_why_and_auto_takes_another(cell, options, x, more, reason, no_compiler):
    layer = un.Recurrent(cell, 3, 4, engine="torch", **options)
    with pytest.raises(EngineError, match=reason):
        layer(x, **more)
    layer.engine = "auto"
    layer(x, **more)
    assert "engine eager" in layer.explain().splitlines()[-1]
    assert reason in layer.explain().splitlines()[-1]


@pytest.mark.parametrize(("cell", "engine"), [("lstm", "torch"), ("gru", "eager"), ("elman", "eager"), ("elman-relu", "eager")])
def test_without_a_compiler_torch_runs_ragged_batches_where_it_has_fused_them(cell, engine, no_compiler):
    layer = un.Recurrent(cell, 3, 4)
    layer(torch.zeros(2, 3, 3))
    assert layer.explain().splitlines()[-1].startswith("last call: engine torch")
    layer(torch.zeros(2, 3, 3), lengths=[2, 1, 0])
    assert layer.explain().splitlines()[-1].startswith(f"last call: engine {engine}")


def test_explain_draws_no_random_numbers():
    layer = un.Recurrent("lstm", 3, 4, recurrent_dropout=0.5)
    before = torch.get_rng_state()
    assert "engine " in layer.explain()
    assert torch.equal(torch.get_rng_state(), before)


def test_an_engine_set_later_must_exist_too():
    layer = un.LSTM(3, 4)
    layer.engine = "fast"
    with pytest.raises(ConfigError, match="'fast'"):
        layer(torch.zeros(2, 1, 3))


@pytest.mark.usefixtures("each_engine")
def test_packed_whole_numbers_equal_packed_one_hot_vectors():
    layer = layer_of("gru", 6, 4, 2, bidirectional=True)
    symbols = [torch.randint(6, (n,)) for n in (2, 5, 3)]
    pack = lambda rows: torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False)  # noqa: E731
    got, state = layer(pack(symbols))
    wanted, other = layer(pack([torch.nn.functional.one_hot(s, 6).double() for s in symbols]))
    torch.testing.assert_close(got.data, wanted.data)
    torch.testing.assert_close(state, other)


@every_engine
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_relu_that_would_explode_in_the_padding_spoils_no_gradient(dtype, engine):
    if (engine, dtype) == ("native", torch.bfloat16):
        pytest.skip("kernels are for float32 and float64")
    layer = layer_of("elman-relu", 3, 4, bidirectional=True, engine=engine).to(dtype)
    with torch.no_grad():
        for reverse in (False, True):
            layer.block("R_h", 0, reverse).copy_(16 * torch.eye(4))
            layer.block("W_h", 0, reverse).fill_(50.0)
    x = torch.rand(300, 3, 3, dtype=dtype)
    y, (h,) = layer(x, lengths=[3, 2, 0])
    (y.sum() + h.sum()).backward()
    assert y.isfinite().all()
    assert all(p.grad.isfinite().all() for p in layer.parameters())
    assert layer.get_parameter("R_h_l0").grad.abs().min() > 0


def test_the_environment_names_the_engine_for_auto_alone(monkeypatch):
    monkeypatch.setenv("UNROLLED_ENGINE", "eager")
    layer = un.LSTM(3, 4)
    layer(torch.zeros(2, 1, 3))
    assert "last call: engine eager (UNROLLED_ENGINE=eager" in layer.explain()
    layer.engine = "torch"
    layer(torch.zeros(2, 1, 3))
    assert "last call: engine torch" in layer.explain()
    monkeypatch.setenv("UNROLLED_ENGINE", "torch")
    with pytest.raises(EngineError, match="UNROLLED_ENGINE=torch cannot"):
        un.Recurrent("gru-simplified", 3, 4)(torch.zeros(2, 1, 3))
    monkeypatch.setenv("UNROLLED_ENGINE", "fast")
    with pytest.raises(ConfigError, match="'fast'"):
        un.LSTM(3, 4)(torch.zeros(2, 1, 3))


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("whole_numbers", [False, True])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("kind", [un.LSTM, un.GRU, un.RNN])
def test_steps_equal_forward(kind, batched, whole_numbers, batch_first):
    torch.manual_seed(0)
    layer = kind(3, 4, 2, batch_first=batch_first, initial_state="learned")
    shape = (6, 2) if batched else (6,)
    x = torch.randint(3, shape) if whole_numbers else torch.randn(*shape, 3)
    time = 1 if batch_first and batched else 0
    whole, last = layer(x.transpose(0, 1) if time else x)
    state = None
    for t in range(6):
        y, state = layer.step(x[t], state)
        torch.testing.assert_close(y, whole.select(time, t))
    torch.testing.assert_close(state, last)


@pytest.mark.parametrize("x", [torch.zeros(1, 2, 3), torch.zeros(()), torch.zeros(1, 2, dtype=torch.long), [1.0]])
def test_a_step_that_is_none(x):
    with pytest.raises(ShapeError, match="`x_t` must be one step"):
        un.LSTM(3, 4).step(x)


def test_a_bidirectional_layer_cannot_stream():
    with pytest.raises(ConfigError, match="cannot stream"):
        un.LSTM(3, 4, bidirectional=True).step(torch.zeros(1, 3))


@every_engine
@pytest.mark.parametrize("shape", [(0, 2, 3), (5, 0, 3), (0, 0, 3)])
@pytest.mark.parametrize("zeros", [False, True])
def test_no_steps_and_no_sequences(shape, zeros, engine):
    layer = layer_of("lstm", bidirectional=True, engine=engine, initial_state="learned")
    y, (h, c) = layer(torch.zeros(shape, dtype=DOUBLE), lengths=[0] * shape[1] if zeros else None)
    assert (y.shape, h.shape, c.shape) == ((*shape[:2], 8), (2, shape[1], 4), (2, shape[1], 4))
    if shape[0] == 0:
        assert torch.equal(h, torch.stack([layer.h_0_l0, layer.h_0_l0_reverse])[:, None].expand(-1, shape[1], -1))


@needs_native
@pytest.mark.parametrize("lengths", [None, [0, 0]])
@pytest.mark.parametrize("shape", [(0, 2, 3), (5, 2, 3), (5, 0, 3)])
@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
def test_what_nothing_was_computed_for_wants_gradients_on_native_as_on_eager(shape, lengths, initial_state):
    found = []
    for engine in ("native", "eager"):
        layer = layer_of("lstm", bidirectional=True, engine=engine, initial_state=initial_state)
        y, state = layer(torch.zeros(shape, dtype=DOUBLE), lengths=None if lengths is None else lengths[: shape[1]])
        found.append([t.requires_grad for t in (y, *state)])
    assert found[0] == found[1]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("make", [lambda: un.GRU(3, 4, 2, initial_state="learned"), lambda: un.Recurrent("lstm-peephole", 3, 4)])
@pytest.mark.parametrize("kind", ["deepcopy", "pickle", "save"])
def test_copies_compute_the_same_and_stand_alone(make, kind):
    layer, x = make(), torch.randn(5, 2, 3)
    with torch.no_grad():
        y, _ = layer(x)
        if kind == "deepcopy":
            other = copy.deepcopy(layer)
        elif kind == "pickle":
            other = pickle.loads(pickle.dumps(layer))
        else:
            torch.save(layer, buffer := io.BytesIO())
            buffer.seek(0)
            other = torch.load(buffer, weights_only=False)
        assert torch.equal(other(x)[0], y)
        for parameter in other.parameters():
            parameter.zero_()
        assert not torch.equal(other(x)[0], y)
        assert torch.equal(layer(x)[0], y)
    assert list(other.state_dict()) == list(layer.state_dict())


@pytest.mark.usefixtures("each_engine")
def test_a_layer_with_computed_weights_can_be_copied_after_a_call():
    layer = torch.nn.utils.parametrizations.weight_norm(un.Recurrent("elman", 3, 4), "R_h_l0")
    x = torch.randn(5, 2, 3)
    y, _ = layer(x)
    torch.testing.assert_close(copy.deepcopy(layer)(x)[0], y)


@pytest.mark.usefixtures("each_engine")
def test_moving_to_another_dtype_moves_everything():
    layer = un.LSTM(3, 4, 2, initial_state="learned")
    x = torch.randn(5, 2, 3)
    with torch.no_grad():
        y, _ = layer(x)
        z, (h, c) = layer.double()(x.double())
    assert {z.dtype, h.dtype, c.dtype} == {DOUBLE}
    torch.testing.assert_close(z.float(), y, atol=1e-6, rtol=0)


def test_repr_names_the_options_that_differ():
    assert repr(un.LSTM(3, 4, 2, residual=True)) == "LSTM(lstm, 3, 4, num_layers=2, residual=True)"


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("lengths", [[3, 6, 5], [6, 6, 6]])
def test_a_row_keeps_its_mask_whatever_the_lengths(lengths):
    layer, x = layer_of("lstm", recurrent_dropout=0.5), torch.randn(6, 3, 3, dtype=DOUBLE)
    torch.manual_seed(1)
    whole, _ = layer(x)
    torch.manual_seed(1)
    y, _ = layer(x, lengths=lengths)
    for row, n in enumerate(lengths):
        torch.testing.assert_close(y[:n, row], whole[:n, row])


@every_engine
def test_what_stands_past_the_end_is_not_read(engine):
    layer = layer_of("lstm", bidirectional=True, engine=engine)
    x = torch.randn(4, 2, 3, dtype=DOUBLE)
    clean = layer(x, lengths=[2, 4])
    x[2:, 0] = torch.nan
    torch.testing.assert_close(layer(x, lengths=[2, 4]), clean)
    sum(layer(x, lengths=[2, 4])[1]).sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_copies_have_the_plan_of_the_original():
    """Engines find what they keep for a plan by the plan itself; a copy with one of its own would make them work it out anew, and keep both."""
    layer = layer_of("lstm-peephole")
    for other in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other._plan is layer._plan


@every_engine
def test_a_parameter_that_is_replaced_pruned_or_lent_is_read(engine):
    x = torch.randn(4, 2, 3, dtype=DOUBLE)
    wanted = layer_of("lstm", engine=engine)
    with torch.no_grad():
        wanted.block("R_f").zero_()
    replaced, pruned, lent = (layer_of("lstm", engine=engine) for _ in range(3))
    replaced(x)
    replaced.R_f_l0 = torch.nn.Parameter(torch.zeros(4, 4, dtype=DOUBLE))
    pruned(x)
    torch.nn.utils.prune.random_unstructured(pruned, "R_f_l0", 1.0)
    for layer in (replaced, pruned):
        assert torch.equal(layer(x)[0], wanted(x)[0])
    parameters = {name: p.detach().float() for name, p in wanted.named_parameters()}
    torch.testing.assert_close(torch.func.functional_call(lent, parameters, (x.float(),))[0], wanted(x)[0].float())
