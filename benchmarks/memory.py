"""Peak resident memory of training on a text of gigabytes, above that of a process that has imported torch and run a small LSTM once.

    python benchmarks/memory.py --gigabytes 2 --minutes 1

The text is Python's own source, again and again with a line number in front of every line, so that no two parts are the same. Each figure is
the peak of a process of its own, as the system reports it (`ru_maxrss`), mapped files included. Prints one JSON object.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from unrolled.data.builtin import builtin_text

BASE = "import torch; m = torch.nn.LSTM(64, 512); m(torch.randn(64, 16, 64))[0].sum().backward()"
TRAIN = "from unrolled.cli import main; main()"


def write_text(path: Path, size: int) -> None:
    """Write at least `size` bytes."""
    lines = builtin_text("builtin:python-source").splitlines(keepends=True)
    written = number = 0
    with open(path, "wb") as file:
        while written < size:
            for line in lines:
                written += file.write(b"%d %b" % (number, line))
                number += 1


def peak(code: str, *arguments: str) -> tuple[float, float]:
    """MiB at the peak of a Python process, and its seconds."""
    script = (
        f"import resource, sys\ntry:\n    {code}\nfinally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    kilobytes = int(done.stderr.split()[-1])
    return kilobytes / 1024, time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--minutes", default="1")
    options = parser.parse_args()
    base, _ = peak(BASE)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "large.txt")
        write_text(text, int(options.gigabytes * 1e9))
        flags = ["train", "lm", str(text), "--held-out", "0.001", "--minutes", options.minutes, "--out", str(Path(folder, "run"))]
        whole, seconds = peak(TRAIN, *flags)
        records = [json.loads(line) for line in Path(folder, "run", "metrics.jsonl").read_text().splitlines()]
        size = text.stat().st_size
    found = {
        "bytes": size,
        "torch_mib": round(base),
        "training_mib": round(whole),
        "above_torch_mib": round(whole - base),
        "encoding_seconds": round(seconds - records[-1]["seconds"]),
        "tokens_learnt": records[-1]["tokens"],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
