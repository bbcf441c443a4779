"""Export: one ONNX file that is proven equal to the workflow before it is written, what it costs, and its model card."""

import hashlib
import json
import time

import numpy as np

from stillhouse import __version__
from stillhouse.columns import graph_input
from stillhouse.intake import kinds
from stillhouse.shipping.onnx import estimators as onnx_models
from stillhouse.shipping.onnx.export import to_onnx
from stillhouse.shipping.serving import Shipped, as_array

CLOSE = 1e-5
# Single rows that are timed, and those before them that are not.
TIMED, WARM_UP = 2000, 200


def metadata(schema, whole, dataset, model, recipe):
    """Return what the file says of itself: columns to read, factors to decide by, and a hash of how it was made.

    ``recipe`` has all settings that the model and those that it learns from are made by.
    """
    facts, factors = json.dumps([schema, recipe], sort_keys=True), whole.factors
    return {
        "stillhouse": __version__,
        "dataset": dataset,
        "model": model,
        "task": schema["task"],
        "target": schema["target"],
        "classes": schema["classes"],
        "columns": whole.columns,
        "factors": None if factors is None else factors.tolist(),
        "identifiers": [column["source"] for column in schema["columns"] if column["kind"] == kinds.IDENTIFIER],
        "reading": schema["reading"],
        "run": hashlib.sha256(facts.encode()).hexdigest()[:16],
    }


def exported(whole, facts):
    """Return the bytes of the ONNX file."""
    return to_onnx(whole, facts).SerializeToString()


def largest_difference(path, table, whole):
    """Return the largest difference between the shipped file and the workflow over all rows of a table."""
    expected = whole.predict(table)
    shipped = Shipped(path)
    found = shipped.session.run(None, inputs_of(shipped, table))[0]
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def inputs_of(shipped, table):
    """Return the graph's inputs of typed rows: a table has passed through intake, and a column stands under its own name."""
    return {graph_input(column["name"]): as_array(table[column["name"]], column) for column in shipped.columns}


def cost(path, table, whole):
    """Return what a shipped file costs: bytes, numbers learned, and milliseconds of one row on one core, preparation inside."""
    shipped = Shipped(path, threads=1)
    inputs = inputs_of(shipped, table.iloc[:TIMED])
    places = np.resize(np.arange(min(len(table), TIMED)), TIMED)
    rows = [{name: values[[place]] for name, values in inputs.items()} for place in places]
    taken = []
    for number, row in enumerate([*rows[:WARM_UP], *rows]):
        begin = time.perf_counter()
        shipped.session.run(None, row)
        if number >= WARM_UP:
            taken.append(1000 * (time.perf_counter() - begin))
    median, p99 = np.quantile(taken, [0.5, 0.99])
    learned = sum(parameters(model.model) for model in whole.models)
    return {
        "bytes": path.stat().st_size,
        "parameters": learned,
        "milliseconds": {"median": float(median), "p99": float(p99)},
        "rows": TIMED,
    }


def parameters(fitted):
    """Return how many numbers networks, or what scikit-learn and its kin fitted, have learned."""
    if hasattr(fitted, "networks"):
        return sum(values.numel() for network in fitted.networks for values in network.parameters())
    return onnx_models.parameters(fitted)
