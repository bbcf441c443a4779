"""Rows a second and peak memory of `predict.py` on a large table, for docs/benchmarks.md.

    python benchmarks/predicting.py MODEL.onnx ROWS.csv [millions] [csv parquet]

The rows of the table are repeated until there are five million, by default, as CSV and as Parquet.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

SCRIPT = Path(__file__).resolve().parent.parent / "workflow" / "scripts" / "predict.py"
PIECE = 250_000


def repeated(rows, count, path):
    """Write a table's rows again and again, as text, until there are so many."""
    piece = pd.concat([rows] * -(-PIECE // len(rows)), ignore_index=True)
    if path.suffix == ".csv":
        for start in range(0, count, len(piece)):
            piece[: count - start].to_csv(path, mode="a", index=False, header=start == 0)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(piece, preserve_index=False)
    with pq.ParquetWriter(path, table.schema) as writer:
        for start in range(0, count, len(piece)):
            writer.write_table(table.slice(0, count - start))


def measure(model, path, count):
    """Print a line with the seconds that a prediction takes and the peak memory of its process in GB."""
    with tempfile.TemporaryDirectory() as folder:
        out, begin = Path(folder) / "out.csv", time.perf_counter()
        subprocess.run([sys.executable, SCRIPT, model, path, "-o", out], check=True, stderr=subprocess.DEVNULL)
        seconds, peak = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        with out.open("rb") as lines:
            written = sum(part.count(b"\n") for part in iter(lambda: lines.read(1 << 24), b"")) - 1
    if written != count:
        sys.exit(f"{written} predictions of {count} rows")
    print(f"| {path.suffix} | {count:,} | {seconds:.0f} | {count / seconds:,.0f} | {peak:.2f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "one":
        measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        sys.exit()
    model, source, *arguments = sys.argv[1:]
    count = round(1e6 * float(next((argument for argument in arguments if argument[0].isdigit()), 5)))
    rows = pd.read_csv(source, dtype=str, na_filter=False, skipinitialspace=True)
    print("| file | rows | seconds | rows a second | peak GB |\n|---|---|---|---|---|", flush=True)
    for form in [argument for argument in arguments if not argument[0].isdigit()] or ("csv", "parquet"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"rows.{form}"
            repeated(rows, count, path)
            subprocess.run([sys.executable, __file__, "one", model, path, str(count)], check=True)
