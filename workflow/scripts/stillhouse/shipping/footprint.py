"""What each model costs to use: bytes, and milliseconds of one row, preparation inside."""

import io
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np

from stillhouse.shipping.export import cost, exported, metadata

# Single rows that the workflow is timed on, and those before them that are not.
TIMED, WARM_UP = 30, 3
AS_GRAPH, AS_FITTED = "ONNX", "as the workflow keeps it"


def price(whole, table, schema, has_graph):
    """Return bytes and median milliseconds of one row on one core: as ONNX where a model has such a form, else as it is kept.

    ``whole`` is a model with its preparation, ``table`` has typed rows without labels.
    """
    if has_graph:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(exported(whole, metadata(schema, whole, "priced", "model", {})))
            found = cost(path, table, whole)
        return {"bytes": found["bytes"], "milliseconds": found["milliseconds"]["median"], "form": AS_GRAPH}
    kept, taken = io.BytesIO(), []
    joblib.dump(whole, kept, compress=1)
    for place in range(WARM_UP + TIMED):
        row = table.iloc[[place % len(table)]]
        begin = time.perf_counter()
        whole.predict(row)
        taken.append(1000 * (time.perf_counter() - begin))
    return {"bytes": len(kept.getvalue()), "milliseconds": float(np.median(taken[WARM_UP:])), "form": AS_FITTED}


def front(prices, scores, key):
    """Return the models that no other beats in score at the same price or less, the cheapest first; more is better."""
    found, best = [], -np.inf
    for name in sorted(prices, key=lambda name: (prices[name][key], -scores[name])):
        if scores[name] > best:
            found.append(name)
            best = scores[name]
    return found
