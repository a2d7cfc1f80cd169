"""The process that measures with one number of threads: `python -m side_by_side.worker OPTIONS`, started by `processes`.

OPTIONS are the fields of `Options` as JSON. Writes one JSON object a line to stdout: results by case, at the end the peak. An interrupt
ends the rounds, and what has been measured is still written.
"""

import dataclasses
import json
import signal
import statistics
import sys
from collections.abc import Callable

import torch

from side_by_side.agreement import MismatchError, check_agreement
from side_by_side.cases import MODES, Case
from side_by_side.machine import Others, is_installed
from side_by_side.material import Contender, Material, is_step
from side_by_side.on_torch import eager_loop, our_stream, ours, torch_nn, torch_nn_of_one_step
from side_by_side.peak import Peak
from side_by_side.timing import Samples, take_turns
from unrolled.errors import UnrolledError


@dataclasses.dataclass(frozen=True)
class Options:
    """What a worker is told; all cases have one dtype."""

    cases: list[Case]
    engine: str
    threads: int
    rounds: int
    seconds: float | None
    warm_up: float
    seed: int
    side: int


class Worker:
    """Cases one after the other."""

    def __init__(self, options: Options) -> None:
        self.options, self.stopped = options, False
        torch.set_num_threads(options.threads)
        signal.signal(signal.SIGINT, self._stop)

    def run(self) -> None:
        """Measure and write everything."""
        dtype = self.options.cases[0].dtype
        peak = Peak(dtype, self.options.side)
        try:
            for number, case in enumerate(self.options.cases):
                peak.look()
                tell(f"[{number + 1}/{len(self.options.cases)}] {case}, threads {self.options.threads}")
                # As in a loop over a stream, which begins inference mode once. Training needs none.
                with torch.inference_mode(is_step(case)):
                    self._measure(case)
                if self.stopped:
                    break
        finally:
            write({"kind": "peak", "threads": self.options.threads, "dtype": dtype, **peak.found()})

    def _measure(self, case: Case) -> None:
        material = Material(case, self.options.engine)
        contenders, off = self._agreeing(case, material)
        others = Others()
        options = self.options
        samples = take_turns(contenders, options.rounds, options.seconds, options.warm_up, options.seed, lambda: self.stopped)
        timed = [c for c in contenders if samples[c.name].seconds]
        if not timed:
            return
        tell("    " + ", ".join(f"{_title(c)} {1e3 * statistics.median(samples[c.name].seconds):.3g} ms" for c in timed))
        write(
            {
                "kind": "result",
                "case": dataclasses.asdict(case),
                "threads": self.options.threads,
                "real_steps": material.real_steps,
                "gflop": material.gflop,
                "others": others.cores(),
                "contenders": {c.name: _record(c, samples[c.name], off[c.name]) for c in timed},
            }
        )

    def _agreeing(self, case: Case, material: Material) -> tuple[list[Contender], dict[str, float]]:
        """Ours and those who compute the same, each with how far it is off; the eager loop only where it is not ours already."""
        first = ours(material)
        wanted, contenders, off = first.results(), [first], {first.name: 0.0}
        for make in self._peers(case, eager=first.engine() != "eager"):
            contender = make(material)
            if contender is not None:
                off[contender.name] = check_agreement(f"{case}: {contender.name}", case.dtype, wanted, contender.results())
                contenders.append(contender)
        return contenders, off

    def _peers(self, case: Case, *, eager: bool) -> list[Callable[[Material], Contender | None]]:
        """Those that are installed."""
        peers: list[Callable[[Material], Contender | None]] = [our_stream, torch_nn, torch_nn_of_one_step]
        if eager:
            peers.append(eager_loop)
        if case.mode in MODES and is_installed("jax"):
            from side_by_side.on_jax import jax_scan  # noqa: PLC0415

            peers.append(jax_scan)
        if is_installed("onnx") and is_installed("onnxruntime"):
            from side_by_side.on_onnx import onnx_runtime  # noqa: PLC0415

            peers.append(lambda material: onnx_runtime(material, self.options.threads))
        return peers

    def _stop(self, *_: object) -> None:
        self.stopped = True


def _record(contender: Contender, samples: Samples, off: float) -> dict[str, object]:
    memory = {"faults": samples.faults, "system": samples.in_system}
    return {"engine": contender.engine(), "seconds": samples.seconds, "cores": samples.cores, **memory, "off": off}


def _title(contender: Contender) -> str:
    return f"{contender.name} ({contender.engine()})" if contender.engine() else contender.name


def write(record: dict[str, object]) -> None:
    """One line to whoever started this."""
    print(json.dumps(record), flush=True)


def tell(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Read the options and measure."""
    given = json.loads(sys.argv[1])
    try:
        Worker(Options(**{**given, "cases": [Case(**case) for case in given["cases"]]})).run()
    except (MismatchError, UnrolledError) as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
