import copy
import pickle

import pytest
import torch

import unrolled as un


@pytest.mark.parametrize("options", [{"fused": True}, {"foreach": True}, {}])
def test_weights_kept_for_inference_are_renewed_after_an_optimiser_step(options):
    layer = un.Recurrent("lstm", 3, 4)
    x = torch.randn(2, 1, 3)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1, **options)
    layer(x)[0].sum().backward()
    with torch.no_grad():
        before = layer(x)[0]
        optimiser.step()
        after = layer(x)[0]
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, layer(x)[0].detach(), atol=1e-6, rtol=0)


CELLS = ["lstm", "gru", "elman", "gru-simplified", "lstm-peephole"]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("write", [lambda p: p.data.mul_(2), lambda p: p.detach().numpy().__imul__(2), lambda p: p.mul_(2)])
def test_every_write_to_a_parameter_is_seen_by_the_next_call(cell, write):
    layer, x = un.Recurrent(cell, 3, 4), torch.randn(2, 1, 3)
    with torch.no_grad():
        before = layer(x)[0]
        for parameter in layer.parameters():
            write(parameter)
        after = layer(x)[0]
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, layer(x)[0].detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("engine", ["auto", "eager"])
@pytest.mark.parametrize("whole_numbers", [False, True])
@pytest.mark.parametrize("made", [lambda n: n, lambda n: n.double().float(), copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
@pytest.mark.parametrize("make", [lambda **o: un.Recurrent("lstm", 64, 64, **o), lambda **o: un.LSTM(64, 64, **o),
    lambda **o: un.Recurrent("gru-reset-before", 64, 64, **o)])  # fmt: skip
def test_a_step_of_a_stream_copies_no_weights(make, made, whole_numbers, engine):
    layer = made(make(engine=engine))
    x = torch.tensor([3]) if whole_numbers else torch.randn(1, 64)
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        layer.step(x)
    assert max(e.self_cpu_memory_usage for e in profile.events()) < 64 * 64 * 4


def test_parameters_stay_in_shared_memory():
    layer = un.Recurrent("lstm", 3, 4).share_memory()
    assert all(p.is_shared() for p in layer.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_inference_mode_leaves_nothing_behind(cell):
    layer = un.Recurrent(cell, 3, 4).requires_grad_(False)
    x = torch.randn(2, 1, 3)
    with torch.inference_mode():
        layer(x)
        assert un.Recurrent(cell, 3, 4)(x)[0].shape == (2, 1, 4)
    x.requires_grad_()
    layer(x)[0].sum().backward()
    assert x.grad.abs().min() > 0


@pytest.mark.parametrize("kind", [un.LSTM, un.GRU])
def test_inputs_may_be_mapped_over(kind):
    layer, x = kind(3, 4), torch.randn(5, 6, 2, 3)
    y = torch.func.vmap(lambda one: layer(one)[0])(x)
    torch.testing.assert_close(y, torch.stack([layer(one)[0] for one in x]))


@pytest.mark.parametrize("grad", [False, True])
def test_an_ensemble_runs_under_vmap(grad):
    layers = [un.Recurrent("gru-simplified", 3, 4) for _ in range(3)]
    parameters, _ = torch.func.stack_module_state(layers)
    x = torch.randn(5, 2, 3)
    with torch.set_grad_enabled(grad):
        y = torch.func.vmap(lambda p: torch.func.functional_call(layers[0], p, (x,))[0])(parameters)
        torch.testing.assert_close(y, torch.stack([layer(x)[0] for layer in layers]))
