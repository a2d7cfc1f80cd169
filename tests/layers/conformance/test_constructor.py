"""What the constructors take, say, warn of and refuse, and what calls refuse."""

import warnings

import pytest
import torch

from pairs import BATCH, INPUTS, STEPS, UNITS, classes, error_of, make_pair, state_for

DOUBLE = torch.float64


def both(kind, *arguments, **options):
    ours, theirs, own = classes(kind)
    return ours(*arguments, **own, **options), theirs(*arguments, **own, **options)


def shapes(layer):
    return [(name, p.shape, p.dtype, p.requires_grad) for name, p in layer.named_parameters()]


@pytest.mark.parametrize(
    "given",
    [
        (3, 5),
        (3, 5, 2),
        (3, 5, 2, False),
        (3, 5, 2, False, True),
        (3, 5, 2, False, True, 0.25),
        (3, 5, 2, True, True, 0.25, True),
        (3, 5, 2, True, True, 0.25, True, 0),
        (3, 5, 2, True, True, 0.25, True, 0, "cpu"),
        (3, 5, 2, True, True, 0.25, True, 0, "cpu", DOUBLE),
    ],
    ids=len,
)
def test_arguments_by_position_have_torchs_order(kind, given):
    ours, theirs, own = classes(kind)
    if own and len(given) > 2:
        given = *given[:3], own["nonlinearity"], *given[3:]
    layer, reference = ours(*given), theirs(*given)
    assert shapes(layer) == shapes(reference)
    for name in ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"):
        assert getattr(layer, name) == getattr(reference, name), name


def test_the_projection_is_the_lstms_eighth_argument():
    layer, reference = both("LSTM", 3, 5, 2, True, True, 0.25, True, 2)
    assert shapes(layer) == shapes(reference)
    assert layer.proj_size == reference.proj_size == 2


def test_arguments_by_name_are_torchs(kind):
    options = {"num_layers": 2, "bias": True, "batch_first": True, "dropout": 0.5, "bidirectional": True, "device": "cpu", "dtype": DOUBLE}
    layer, reference = both(kind, input_size=3, hidden_size=5, **options)
    assert shapes(layer) == shapes(reference)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_parameters_and_state_have_torchs_names_order_and_shapes(kind, bias, bidirectional):
    layer, reference = both(kind, 3, 5, 2, bias=bias, bidirectional=bidirectional)
    assert shapes(layer) == shapes(reference)
    assert list(layer.state_dict()) == list(reference.state_dict())
    assert [[tuple(w.shape) for w in row] for row in layer.all_weights] == [[tuple(w.shape) for w in row] for row in reference.all_weights]
    assert not list(layer.named_buffers())
    assert [name for name, _ in layer.named_modules()] == [name for name, _ in reference.named_modules()]


@pytest.mark.parametrize("name", ["mode", "bias", "dropout", "proj_size", "batch_first", "bidirectional", "training"])
def test_attributes_are_torchs(kind, name):
    layer, reference = both(kind, 3, 5, 2, dropout=0.5)
    assert getattr(layer, name) == getattr(reference, name)
    assert type(getattr(layer, name)) is type(getattr(reference, name))


@pytest.mark.parametrize(("layers", "dropout"), [(1, 0.5), (2, 0.5), (1, 0.0), (1, 1), (2, 1.0)])
def test_both_warn_of_a_dropout_that_drops_nothing(kind, layers, dropout):
    ours, theirs, own = classes(kind)
    heard = []
    for make in (ours, theirs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make(3, 5, layers, dropout=dropout, **own)
        assert all(issubclass(w.category, UserWarning) and "dropout" in str(w.message) for w in caught)
        heard.append(caught)
    assert len(heard[0]) == len(heard[1]) == (1 if layers == 1 and dropout else 0)
    assert all(w.filename == __file__ for w in heard[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input_size", 0),
        ("input_size", -1),
        ("input_size", 2.0),
        ("input_size", "3"),
        ("hidden_size", 0),
        ("hidden_size", -1),
        ("hidden_size", 4.0),
        ("hidden_size", None),
        ("num_layers", 0),
        ("num_layers", -1),
        ("num_layers", 1.5),
        ("num_layers", "2"),
        ("bias", 1),
        ("bias", None),
        ("batch_first", 0),
        ("batch_first", "yes"),
        ("dropout", -0.1),
        ("dropout", 1.5),
        ("dropout", True),
        ("dropout", float("nan")),
        ("proj_size", -1),
        ("proj_size", 5),
        ("proj_size", 2),
        ("dropout", None),
        ("proj_size", 2.0),
        ("proj_size", None),
        ("dtype", "float32"),
        ("device", "nowhere"),
        ("hidden", 4),
    ],
)
def test_bad_values_raise_the_same_type_of_error(kind, name, value):
    ours, theirs, own = classes(kind)
    options = {"input_size": 3, "hidden_size": 5, "num_layers": 2, **own, name: value}
    wanted = error_of(lambda: theirs(**options))
    if wanted is None:
        ours(**options)
    else:
        with pytest.raises(type(wanted)):
            ours(**options)


@pytest.mark.parametrize("value", ["sigmoid", "", None, 1])
def test_a_nonlinearity_that_is_none_raises_the_same_type_of_error(value):
    ours, theirs, _ = classes("tanh")
    with pytest.raises(type(error_of(lambda: theirs(3, 5, nonlinearity=value)))):
        ours(3, 5, nonlinearity=value)


@pytest.mark.parametrize("given", [(), (3,), (3, 5, 1, "tanh", True, False, 0.0, False, 0, None, None, 1)])
def test_too_few_or_too_many_arguments_raise_the_same_type_of_error(kind, given):
    ours, theirs, _ = classes(kind)
    with pytest.raises(type(error_of(lambda: theirs(*given)))):
        ours(*given)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2},
        {"bias": False},
        {"batch_first": True},
        {"num_layers": 2, "dropout": 0.5, "bidirectional": True},
    ],
)
def test_repr_has_the_class_and_all_that_torchs_says(kind, options):
    layer, reference = both(kind, 3, 5, **options)
    assert repr(layer).partition("(")[0] == repr(reference).partition("(")[0]
    assert set(reference.extra_repr().split(", ")) <= set(layer.extra_repr().split(", "))


def test_repr_stands_in_a_model_on_one_line(kind):
    layer, reference = both(kind, 3, 5)
    lines = [str(torch.nn.Sequential(inner, torch.nn.Identity())).splitlines() for inner in (layer, reference)]
    assert len(lines[0]) == len(lines[1])


def wrong_state(pair, change):
    state = state_for(pair)
    return tuple(change(s) for s in state) if isinstance(state, tuple) else change(state)


CALLS = {
    "columns": lambda p: ((p.x[..., :-1],), {}),
    "no dimensions": lambda p: ((p.x[0, 0, 0],), {}),
    "one dimension": lambda p: ((p.x[0, 0],), {}),
    "four dimensions": lambda p: ((p.x[None],), {}),
    "dtype": lambda p: ((p.x.float(),), {}),
    "half": lambda p: ((p.x.half(),), {}),
    "complex": lambda p: ((p.x.to(torch.complex64),), {}),
    "booleans": lambda p: ((p.x > 0,), {}),
    "state's batch": lambda p: ((p.x, wrong_state(p, lambda s: s[:, :1])), {}),
    "state's layers": lambda p: ((p.x, wrong_state(p, lambda s: torch.cat([s, s]))), {}),
    "state's units": lambda p: ((p.x, wrong_state(p, lambda s: s[..., :-1])), {}),
    "state's dtype": lambda p: ((p.x, wrong_state(p, lambda s: s.float())), {}),
    "state without a batch": lambda p: ((p.x, wrong_state(p, lambda s: s[:, 0])), {}),
    "state with a batch": lambda p: ((p.x[:, 0], state_for(p)), {}),
    "three states": lambda p: ((p.x, (p.x, p.x, p.x)), {}),
    "no argument": lambda p: ((), {}),
    "a name": lambda p: ((p.x,), {"state_0": None}),
}


@pytest.mark.parametrize("call", CALLS)
def test_calls_that_do_not_fit_raise_the_same_type_of_error(kind, engine, call):
    pair = make_pair(kind, engine, 2, True)
    given, options = CALLS[call](pair)
    wanted = error_of(lambda: pair.theirs(*given, **options))
    assert wanted is not None
    with pytest.raises(RuntimeError if isinstance(wanted, AttributeError) else type(wanted)):
        pair.ours(*given, **options)


@pytest.mark.parametrize("names", [("input",), ("input", "hx")])
def test_calls_by_torchs_names(pair, names):
    given = dict(zip(names, (pair.x, state_for(pair)), strict=False))
    for got, wanted in zip(pair.ours(**given)[:1], pair.theirs(**given)[:1], strict=True):
        torch.testing.assert_close(got, wanted)
    assert pair.x.shape == (STEPS, BATCH, INPUTS)


@pytest.mark.parametrize("batch_first", [False, True])
def test_results_have_torchs_structure_shapes_and_strides_of_rows(kind, engine, batch_first):
    pair = make_pair(kind, engine, 2, True, batch_first=batch_first)
    for x in (pair.x, pair.x[:, 0]):
        got, wanted = pair.ours(x), pair.theirs(x)
        assert type(got) is type(wanted) and type(got[1]) is type(wanted[1])
        torch.testing.assert_close(got, wanted)
    assert pair.ours(pair.x)[0].shape[-1] == 2 * UNITS


def test_lists_as_states_and_none(kind, engine):
    pair = make_pair(kind, engine, 2, True)
    torch.testing.assert_close(pair.ours(pair.x, None), pair.theirs(pair.x, None))
    torch.testing.assert_close(pair.ours(pair.x, state_for(pair)), pair.theirs(pair.x, state_for(pair)))
