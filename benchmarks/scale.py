"""What each rule costs as a table grows: wall time, processor time, memory and disk, for docs/benchmarks.md.

    python benchmarks/scale.py FOLDER ROWS [ROWS ...] [--epochs 2]

A table of 30 columns is drawn for each number of rows: numbers and categories, with gaps, one positive row in ten, and deploy
rows that are shifted. Three folds, logistic regression, boosted trees, a network, their stack, and the network's
student; two cores. Runs are kept in FOLDER, so that a larger size can be added to those that are there. Slopes are those of the
logarithms between the two largest sizes: 1 is in proportion to the rows.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parent.parent
NUMBERS, CATEGORIES = 22, 8
# Rows that are drawn and written at once.
ROWS_AT_ONCE = 500_000
CONFIG = """
seed: 1
datasets:
  large:
    train: data/train.parquet
    deploy: data/deploy.parquet
    target: ill
    positive: "yes"
folds: {k: 3}
intermediates: remove
models:
  logistic: {prepare: {impute: median}, fit: {method: logistic}}
  boosted: {prepare: {impute: none}, fit: {method: boosting}}
  network: {prepare: {impute: median, weigh: logistic}, train: {method: mlp, epochs: EPOCHS, seeds: 1}}
  stack: {stack: {method: linear, members: [logistic, boosted, network]}}
  student:
    prepare: {impute: median, weigh: logistic}
    distill: {method: mlp, width: 32, depth: 1, epochs: EPOCHS, teacher: network}
export: [student]
report: {prepare: {impute: median, weigh: logistic}}
"""


def drawn(rng, rows, is_deploy):
    """Return some rows of the table."""
    numbers = rng.normal(0.3 * is_deploy, 1, (rows, NUMBERS)).astype(np.float32)
    levels = rng.integers(0, np.arange(3, 3 + CATEGORIES), (rows, CATEGORIES))
    signal = numbers[:, 0] * numbers[:, 1] + numbers[:, 2] - numbers[:, 3] + (levels[:, 1] == 0)
    is_ill = signal + rng.normal(size=rows) > 3
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    table = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(NUMBERS)])
    for place in range(CATEGORIES):
        table[f"c{place}"] = pd.Categorical.from_codes(levels[:, place], [f"level {code}" for code in range(3 + CATEGORIES)])
    return table.assign(ill=np.where(is_ill, "yes", "no"))


def write_tables(rows, folder):
    """Write the table of a size, and deploy rows, a tenth as many."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", rows), ("deploy", rows // 10)):
        rng = np.random.default_rng([rows, name == "deploy"])
        with pq.ParquetWriter(folder / f"{name}.parquet", pa.Table.from_pandas(drawn(rng, 10, False)).schema) as writer:
            for start in range(0, count, ROWS_AT_ONCE):
                part = drawn(rng, min(ROWS_AT_ONCE, count - start), name == "deploy")
                writer.write_table(pa.Table.from_pandas(part, preserve_index=False).cast(writer.schema))


def run(rows, folder, epochs):
    """Run all that the configuration asks for; return the seconds."""
    write_tables(rows, folder / "data")
    (folder / "config.yaml").write_text(CONFIG.replace("EPOCHS", str(epochs)))
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    begin = time.time()
    subprocess.run([*command, "--configfile", folder / "config.yaml", "--cores", "2", "--quiet", "all"], check=True)
    (folder / "seconds").write_text(str(time.time() - begin))


def costs(folder):
    """Return seconds, seconds of a processor and peak memory in GB of each job of a run, by the name of its log."""
    found = {}
    for path in sorted((folder / "logs").rglob("*.tsv")):
        line = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        name = str(path.relative_to(folder / "logs").with_suffix("")).replace("large/", "").replace("/split-all", "")
        found[name] = line["s"], line["cpu_time"], line["max_rss"] / 1000
    return pd.DataFrame(found, index=["seconds", "processor", "GB"]).T


def disk(folder):
    """Return the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(folder, sizes, epochs=2):
    """Run each size that is not there yet, and print the table."""
    for rows in sizes:
        if not (folder / str(rows) / "seconds").exists():
            run(rows, folder / str(rows), epochs)
    found = {rows: costs(folder / str(rows)) for rows in sizes}
    print(f"| rule | {' | '.join(f'{rows:,} rows: s, CPU s, GB' for rows in sizes)} | slope of s |")
    print("|---" * (len(sizes) + 2) + "|")
    small, large = sizes[-2:] if len(sizes) > 1 else sizes * 2
    for name, line in found[large].sort_values("seconds", ascending=False).iterrows():
        cells = [" ".join(f"{value:.1f}" for value in found[rows].loc[name]) for rows in sizes]
        rise = np.log(line["seconds"] / found[small].loc[name, "seconds"]) / max(np.log(large / small), 1e-9)
        print(f"| {name} | {' | '.join(cells)} | {rise:.2f} |")
    for rows in sizes:
        place = folder / str(rows)
        made, given = disk(place / "results"), disk(place / "data")
        seconds = float((place / "seconds").read_text())
        print(f"\n{rows:,} rows: {seconds:.0f} s; {made / 1e9:.2f} GB of results, {made / given:.1f} times the tables.", end="")
    print()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    main(given.folder, sorted(given.rows), given.epochs)
