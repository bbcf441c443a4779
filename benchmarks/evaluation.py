"""What a bootstrap draw of all metrics, calibration curve and net benefit costs at a million rows, for docs/benchmarks.md.

    python benchmarks/evaluation.py [millions]

CPU seconds a draw: the difference of 40 and 8 draws, as some work is done once. Two classes, five folds, one population.
"""

import os
import sys
import time
from pathlib import Path

# As in the workflow's jobs.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import assess
from stillhouse.intake.task import Task

FEW, MANY = 8, 40


def scored_rows(count):
    """Return rows of two classes with predictions and decisions."""
    rng = np.random.default_rng(0)
    label = (rng.random(count) < 0.1).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=count) + 1.5 * label - 2.5)))
    facts = {"row": range(count), "label": label, "fold": rng.integers(0, 5, count), "decision": (p > 0.2).astype("int64")}
    return pd.DataFrame({**facts, "p_no": 1 - p, "p_yes": p})


if __name__ == "__main__":
    count = round(1e6 * float(sys.argv[1] if len(sys.argv) > 1 else 1))
    rows, taken = scored_rows(count), []
    for draws in (FEW, MANY):
        begin = time.process_time()
        settings = {"precision": 0.9, "draws": draws, "level": 0.95, "quantile": 0.5}
        assess(rows, Protocol(Task("binary", ["no", "yes"]), settings), has_worth=True)
        taken.append(time.process_time() - begin)
    print("| rows | CPU seconds before the draws | a draw |\n|---|---|---|")
    each = (taken[1] - taken[0]) / (MANY - FEW)
    print(f"| {count:,} | {taken[0] - FEW * each:.1f} | {each:.3f} |")
