"""Hooks of modules, of tensors, of the graph and of state dicts."""

import pytest
import torch
from torch.nn.modules import module as modules

from pairs import assert_same, flat, gradients, loss_of, make_pair, state_for


def test_forward_hooks_see_and_replace_what_a_layer_gives(pair):
    found = []
    for layer in pair.both:
        seen = []

        def keep(module, given, result, seen=seen, layer=layer):
            assert module is layer
            seen.append((given, result))
            return result[0] * 2, result[1]

        handle = layer.register_forward_hook(keep)
        replaced = layer(pair.x)
        handle.remove()
        found.append([seen, replaced, layer(pair.x)])
        assert len(seen) == 1
        assert torch.equal(replaced[0], 2 * found[-1][2][0])
    for some, others in zip(*found, strict=True):
        assert_same(some, others)


def test_forward_hooks_see_names(pair):
    found, state = [], state_for(pair)
    for layer in pair.both:
        seen = []
        layer.register_forward_hook(
            lambda module, given, options, result, seen=seen: seen.append((given, options, result)), with_kwargs=True
        )
        layer(pair.x, hx=state)
        layer(input=pair.x)
        found.append(seen)
    assert [list(options) for _, options, _ in found[0]] == [["hx"], ["input"]]
    assert_same(*found)


def test_pre_hooks_change_what_a_layer_is_given(pair):
    results, state = [], state_for(pair)
    for layer in pair.both:
        plain = layer(pair.x)
        layer.register_forward_pre_hook(lambda module, given: (given[0] * 2, *given[1:]))
        layer.register_forward_pre_hook(lambda module, given, options: (given, {"hx": state}), with_kwargs=True)
        results.append(layer(pair.x))
        assert not torch.allclose(results[-1][0], plain[0])
    assert_same(*results)
    assert_same(results[0], pair.theirs.forward(pair.x * 2, state))


def test_hooks_run_in_torchs_order_and_also_after_errors(pair):
    found = []
    for layer in pair.both:
        order = []
        layer.register_forward_pre_hook(lambda *_, order=order: order.append("before"))
        layer.register_forward_hook(lambda *_, order=order: order.append("after"))
        layer.register_forward_hook(lambda *_, order=order: order.append("always"), always_call=True)
        layer.register_forward_hook(lambda *_, order=order: order.append("first"), prepend=True)
        layer(pair.x)
        with pytest.raises(RuntimeError):
            layer(pair.x[..., :-1])
        found.append(order)
    assert found[0] == found[1] == ["before", "first", "after", "always", "before", "always"]


def test_full_backward_hooks_see_and_replace_gradients(pair):
    found = []
    for layer in pair.both:
        seen, x = [], pair.x.clone().requires_grad_()

        def halve(module, into, out, seen=seen):
            seen.append([[g for g in into if g is not None], [g for g in out if g is not None]])
            return tuple(None if g is None else g / 2 for g in into)

        layer.register_full_backward_hook(halve)
        layer(x)[0].sin().sum().backward()
        assert len(seen) == 1
        found.append([seen[0], x.grad, [p.grad for p in layer.parameters()]])
        torch.testing.assert_close(x.grad, seen[0][0][0] / 2)
    assert_same(*found)


def test_full_backward_pre_hooks_change_what_flows_back(pair):
    found = []
    for layer in pair.both:
        x = pair.x.clone().requires_grad_()
        layer.register_full_backward_pre_hook(lambda module, out: tuple(None if g is None else g * 3 for g in out))
        layer(x)[0].sin().sum().backward()
        found.append([x.grad, [p.grad for p in layer.parameters()]])
    assert_same(*found)


def test_backward_hooks_on_the_model_around(pair):
    found = []
    for layer in pair.both:
        seen = []
        model = torch.nn.Sequential(torch.nn.Identity(), layer)
        model[0].register_full_backward_hook(lambda module, into, out, seen=seen: seen.append(out[0]))
        model.register_full_backward_hook(lambda module, into, out, seen=seen: seen.append(into[0]))
        model(pair.x.clone().requires_grad_())[0].sin().sum().backward()
        assert len(seen) == 2
        found.append(seen)
    assert_same(*found)


def test_hooks_for_all_modules(pair):
    found = []
    for layer in pair.both:
        seen = []
        handles = [
            modules.register_module_forward_pre_hook(lambda module, given, seen=seen: seen.append(given[0])),
            modules.register_module_forward_hook(lambda module, given, result, seen=seen: seen.append(result[0].detach())),
            modules.register_module_full_backward_hook(lambda module, into, out, seen=seen: seen.append(into[0])),
        ]
        try:
            layer(pair.x.clone().requires_grad_())[0].sin().sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        assert len(seen) == 3
        found.append([s.detach() for s in seen])
    assert_same(*found)


def test_hooks_on_tensors_see_and_replace_gradients(pair):
    found = []
    for layer in pair.both:
        seen, x = {}, pair.x.clone().requires_grad_()
        for name, p in layer.named_parameters():
            p.register_hook(lambda g, name=name, seen=seen: seen.setdefault(name, g.clone()) * 2)
        result = layer(x)
        for number, t in enumerate(flat(result)):
            t.register_hook(lambda g, number=number, seen=seen: seen.setdefault(f"result {number}", g.clone()) * 3)
        x.register_hook(lambda g, seen=seen: seen.setdefault("x", g.clone()).sign())
        loss_of(result).backward()
        found.append([dict(sorted(seen.items())), x.grad, [p.grad for p in layer.parameters()]])
        assert set(x.grad.unique().tolist()) == {-1.0, 1.0}
    assert_same(*found)


def test_hooks_after_gradients_have_been_added_up(pair):
    found = []
    for layer in pair.both:
        layer.zero_grad()
        steps = []
        for name, p in layer.named_parameters():

            def descend(p, name=name, steps=steps):
                steps.append(name)
                with torch.no_grad():
                    p -= 0.1 * p.grad
                p.grad = None

            p.register_post_accumulate_grad_hook(descend)
        for _ in range(2):
            loss_of(layer(pair.x)).backward()
        assert sorted(steps) == sorted([name for name, _ in layer.named_parameters()] * 2)
        found.append([p.detach() for p in layer.parameters()])
    assert_same(*found)


def test_hooks_on_many_gradients_at_once(pair):
    found = []
    for layer in pair.both:
        seen = []
        torch.autograd.graph.register_multi_grad_hook(
            list(layer.parameters()), lambda grads, seen=seen: seen.append([g.clone() for g in grads])
        )
        loss_of(layer(pair.x)).backward()
        assert len(seen) == 1
        found.append(seen)
    assert_same(*found)


def test_hooks_on_what_is_kept_for_the_way_back(pair):
    kept = []

    def pack(tensor):
        kept.append(tensor.shape)
        return tensor.numpy(force=True).copy(), tensor.dtype

    wanted = gradients(pair.theirs, pair.x)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: torch.from_numpy(packed[0]).to(packed[1])):
        got = gradients(pair.ours, pair.x)
    assert kept
    assert_same(got, wanted)
    with torch.autograd.graph.save_on_cpu():
        assert_same(gradients(pair.ours, pair.x), wanted)


def test_retained_gradients_of_results(pair):
    found = []
    for layer in pair.both:
        results = flat(layer(pair.x))
        for r in results:
            r.retain_grad()
        sum((r * r).sum() for r in results).backward()
        found.append([r.grad for r in results])
    assert_same(*found)


def test_state_dict_hooks(pair):
    found = []
    for layer in pair.both:
        said = []
        layer.register_state_dict_pre_hook(lambda module, prefix, keep, said=said: said.append(("before saving", prefix, keep)))
        layer.register_state_dict_post_hook(lambda module, state, prefix, meta, said=said: said.append(("saved", prefix, list(state))))
        layer.register_load_state_dict_pre_hook(
            lambda module, state, prefix, meta, strict, missing, unexpected, errors, said=said: said.append(
                ("before loading", prefix, strict)
            )
        )
        layer.register_load_state_dict_post_hook(lambda module, keys, said=said: said.append(("loaded", list(keys.missing_keys))))
        model = torch.nn.ModuleDict({"encoder": layer})
        state = model.state_dict()
        del state["encoder.bias_hh_l0"]
        model.load_state_dict(state, strict=False)
        found.append(said)
    assert found[0] == found[1]
    assert [entry[0] for entry in found[0]] == ["before saving", "saved", "before loading", "loaded"]


def test_a_hook_that_renames_old_keys_when_loading(pair):
    for layer, other in (pair.both, pair.both[::-1]):
        state = {name.replace("weight_", "w_"): 2 * t for name, t in layer.state_dict().items()}
        wanted = {name: 2 * t for name, t in layer.state_dict().items()}

        def rename(module, state, *_):
            for name in list(state):
                state[name.replace("w_", "weight_")] = state.pop(name)

        handle = other.register_load_state_dict_pre_hook(rename)
        other.load_state_dict(state)
        handle.remove()
        assert_same(dict(other.state_dict()), wanted)


def test_hooks_run_in_steps_of_a_stream(kind, engine):
    pair = make_pair(kind, engine, 2)
    seen = []
    with torch.no_grad():
        _, state = pair.ours.step(pair.x[0])
        _, state = pair.ours.step(pair.x[1], state)
        plain, _ = pair.ours.step(pair.x[2], state)
        pair.ours.register_forward_hook(lambda module, given, result: seen.append(result[0]))
        hooked, _ = pair.ours.step(pair.x[2], state)
    assert len(seen) == 1
    assert_same(hooked, plain)
