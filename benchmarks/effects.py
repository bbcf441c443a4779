"""How near effects over drawn orders of columns are to those over all orders, for docs/benchmarks.md.

    python benchmarks/effects.py ROWS.csv MODEL.onnx …

Rows of the table are explained by all subsets of the columns, of which there may be 16, and by drawn orders with their reverses
through at most so many subsets. An error is the mean of the absolute errors of a row's effects, as a share of its largest
effect; there are its mean over rows, and the largest. Beside it is how often a row is predicted.
"""

import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.evaluation.shapley import all_subsets, drawn_subsets, pairs_of_orders
from stillhouse.shipping.effects import Effects
from stillhouse.shipping.serving import Shipped, chunks

ROWS, MOST_COLUMNS = 40, 16
MOST = (32, 64, 128, 256, 512, 4096)


def effects_by(effects, subsets, columns, index):
    """Return the effects over some subsets; shape (rows, columns)."""
    effects.moved, effects.shares = subsets
    return effects.of(columns, index).filter(like="effect_").to_numpy("float64")


def measure(path, table):
    """Print a line of a table for a model."""
    shipped = Shipped(path)
    effects, columns = Effects(shipped), shipped.typed(table)
    count = len(effects.sources)
    if count > MOST_COLUMNS:
        sys.exit(f"{path}: {count} columns have too many subsets")
    exact, cells = effects_by(effects, all_subsets(count), columns, table.index), []
    for most in MOST:
        subsets = drawn_subsets(count, pairs_of_orders(count, most))
        found = effects_by(effects, subsets, columns, table.index)
        errors = np.abs(found - exact).mean(axis=1) / np.abs(exact).max(axis=1)
        cells.append(f"{100 * errors.mean():.2f} % ({100 * errors.max():.1f}), {len(subsets[0])}")
    print(f"| {Path(path).stem}, {count} columns | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    rows, *models = sys.argv[1:]
    print(f"| model | {' | '.join(map(str, MOST))} |\n|---|{'---|' * len(MOST)}", flush=True)
    for model in models:
        table = next(chunks(Path(rows), Shipped(model).reading)).sample(ROWS, random_state=0)
        measure(model, table.reset_index(drop=True))
