"""Export: one ONNX file that is proven equal to the workflow before it is written, and its model card."""

import hashlib
import json

import numpy as np

from stillhouse import __version__, kinds
from stillhouse.columns import graph_input
from stillhouse.onnx_graph import to_onnx
from stillhouse.serving import Shipped, as_array

CLOSE = 1e-5


def metadata(schema, columns, factors, dataset, model, options):
    """Return what the file says of itself: columns to read, factors to decide by, and a hash of how it was made."""
    facts = json.dumps([schema, options], sort_keys=True)
    return {
        "stillhouse": __version__,
        "dataset": dataset,
        "model": model,
        "task": schema["task"],
        "target": schema["target"],
        "classes": schema["classes"],
        "columns": columns,
        "factors": None if factors is None else factors.tolist(),
        "identifiers": [column["source"] for column in schema["columns"] if column["kind"] == kinds.IDENTIFIER],
        "reading": schema["reading"],
        "run": hashlib.sha256(facts.encode()).hexdigest()[:16],
    }


def exported(preparation, model, facts):
    """Return the bytes of the ONNX file."""
    return to_onnx(preparation, model, facts).SerializeToString()


def largest_difference(path, table, preparation, model):
    """Return the largest difference between the shipped file and the workflow over all rows of a table."""
    expected = model.predict(preparation.transform(table))
    shipped = Shipped(path)
    # The table has passed through intake: each column is already typed, and stands under its own name.
    columns = {graph_input(column["name"]): as_array(table[column["name"]], column) for column in shipped.columns}
    found = shipped.session.run(None, columns)[0]
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
