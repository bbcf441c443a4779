"""Peak memory and time of every resampler on a large table, each in a process of its own, for docs/benchmarks.md.

    python benchmarks/memory.py [rows columns]

The table has 100,000 rows and 50 columns, one of ten rows in the rare class, by default.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.config.completion import complete_options
from stillhouse.config.settings import load_schema, method_names
from stillhouse.preparation.sample import balanced_sample

SCHEMA = load_schema()


def table(rows, columns):
    """Return a sample with ten one-hot columns of two categories, the others numbers."""
    rng = np.random.default_rng(0)
    label = (rng.random(rows) < 0.1).astype(float)
    X = rng.normal(size=(rows, columns - 10)).astype(np.float32) + 0.3 * label[:, None].astype(np.float32)
    numbers = pd.DataFrame(X, columns=[f"n{place}:x" for place in range(columns - 10)])
    codes = {place: rng.integers(0, 5, rows) for place in (columns, columns + 1)}
    hot = {f"c{place}:w={code}": (codes[place] == code).astype(np.float32) for place in codes for code in range(5)}
    facts = {"row": np.arange(rows), "label": label, "weight": 1.0, "fold": np.arange(rows) % 5}
    return pd.concat([numbers, pd.DataFrame({**hot, **facts})], axis=1)


def measure(method, rows, columns):
    """Print a line with the peak memory of the process in GB, and the seconds that resampling took."""
    sample = table(rows, columns)
    options = complete_options(SCHEMA, "resamplers", {"method": method}, where=())
    begin = time.perf_counter()
    made, _, _ = balanced_sample(sample, 2, 0.15, options, seed=1)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"| {method} | {len(made):,} | {peak:.2f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "one":
        measure(arguments[1], *map(int, arguments[2:]))
        sys.exit()
    size = arguments or ["100000", "50"]
    print("| resampler | rows in the sample | peak GB | seconds |\n|---|---|---|---|", flush=True)
    for name in method_names(SCHEMA["$defs"]["methods"]["resamplers"]):
        subprocess.run([sys.executable, __file__, "one", name, *size], check=True)
