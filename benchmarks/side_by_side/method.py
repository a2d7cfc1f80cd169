"""How contenders are compared and timed: the constants, and what the output says about it. Imports no library that is measured."""

WARM_UPS, WARM_UP_SECONDS = 3, 0.3
FEWEST_ROUNDS = 3
TOLERANCES = {"float32": 1e-4, "float64": 1e-9}
REST, QUIET, LONGEST_REST = 0.01, 0.001, 0.2
FILL = 0.01
LONGEST_REPEATS = 1000

HOW = (
    "Before anything is timed, the output of every contender and, in training, its gradients of the input and of each block of weights are "
    f"compared with ours: {' or '.join(f'{share:g} ({dtype})' for dtype, share in TOLERANCES.items())} of the largest entry of ours is the "
    "largest difference allowed.",
    "Training: the forward pass of the layer on [T, B, I] that requires grad, y.backward(cotangent) with a fixed random cotangent, so the "
    "gradients of the input and of all weights; setting .grad to None is outside. Inference: the forward pass under torch.inference_mode. "
    "Inside the timer, too, lie making autograd's graph, our checks and choice of an engine, and stacking, packing or comparing of weights that a layer "
    "does in each call. Ragged: torch.nn starts from and returns to padded tensors (pack_padded_sequence with enforce_sorted=False, "
    "pad_packed_sequence), JAX runs a masked scan. JAX: jit and vjp with the same cotangent, block_until_ready, compiled before. ONNX "
    "Runtime: the standard operator, weights constant and packed before, session.run.",
    f"Every round runs each contender once, in an order drawn anew from a fixed seed, after a warm-up of {WARM_UP_SECONDS:g} s and at least {WARM_UPS} calls: a rest until no "
    "thread of the process works any more (libraries let theirs wait busily, some for 50 ms), one call that is not timed, then as many timed "
    f"calls as fill {FILL * 1e3:g} ms (at least one), whose mean is one sample. Figures are the median of the samples, with their minimum and "
    "quartiles. The eager loop is left out where it is what ours runs on.",
    "GFLOP/s count matrix products alone, real steps alone, and training as three times the forward pass. Cores: seconds of processor time "
    "of the whole process by seconds of the clock, threads that wait busily included. Faults: pages of memory that the system gave in a call, "
    "mostly memory that was returned after the call before. System: the share of the processor time that it took for this and all else.",
)
"""What stands behind each figure."""
