"""Export: one ONNX file that is shown to equal the workflow's own predictions before it is written."""

import hashlib
import json

import numpy as np

from stillhouse import __version__
from stillhouse.columns import LABELLED, PART, graph_input
from stillhouse.evaluation.shapley import typical
from stillhouse.intake import kinds
from stillhouse.shipping.onnx.export import to_onnx
from stillhouse.shipping.serving import Shipped, as_array

# The largest difference between the file and the workflow, relative to the largest prediction but at least to 1.
MOST_DIFFERENCE = 1e-5
# Rows that are compared at once, as all layers of a network on a million rows take many gigabytes.
ROWS_AT_ONCE = 20_000


# The most categories of a column that a file lists; of columns with more, unknown ones are not counted.
MOST_LISTED = 2000


def metadata(schema, pipeline, dataset, model, recipe, table=None, sets=None):
    """Return what the file states about itself: columns to read, what they held in training, decision factors, a hash.

    ``table`` has the typed rows, of which the labelled ones are looked at; without it nothing is said of what columns held.
    ``recipe`` has all settings by which the model and those upstream of it are made, ``sets`` what conformal sets are made by.
    """
    facts, factors = json.dumps([schema, recipe], sort_keys=True), pipeline.factors
    return {
        "stillhouse": __version__,
        "dataset": dataset,
        "model": model,
        "task": schema["task"],
        "target": schema["target"],
        "classes": schema["classes"],
        "quantiles": list(pipeline.levels),
        "columns": pipeline.columns if table is None else with_seen_values(pipeline.columns, table[table[PART].isin(LABELLED)]),
        "factors": None if factors is None else factors.tolist(),
        "identifiers": [column["source"] for column in schema["columns"] if column["kind"] == kinds.IDENTIFIER],
        "reading": schema["reading"],
        "sets": sets,
        "row_bytes": bytes_of_a_row(pipeline),
        "run": hashlib.sha256(facts.encode()).hexdigest()[:16],
    }


def bytes_of_a_row(pipeline):
    """Return about how many bytes a row takes in the largest network of a pipeline; 0 without networks."""
    if hasattr(pipeline, "members"):
        return max(map(bytes_of_a_row, pipeline.members))
    fitted = pipeline.model.model
    return round(fitted.bytes_of_a_row()) if hasattr(fitted, "bytes_of_a_row") else 0


def with_seen_values(columns, labelled):
    """Return descriptions of columns, each with what its labelled rows hold under ``seen``, and a ``typical`` value."""
    return [
        {**column, "seen": seen_values(labelled[column["name"]], column), "typical": typical(labelled[column["name"]], column)}
        for column in columns
    ]


def seen_values(values, column):
    """Return the categories of a column, or the least and the greatest of its numbers; None for too many or none."""
    if column["kind"] in kinds.ENCODED:
        return None
    values = values.dropna()
    if column["kind"] == kinds.CATEGORICAL:
        found = sorted(values.unique())
        return found if len(found) <= MOST_LISTED else None
    return [float(values.min()), float(values.max())] if len(values) else None


def exported(pipeline, facts):
    """Return the bytes of the ONNX file."""
    return to_onnx(pipeline, facts).SerializeToString()


def largest_difference(path, table, pipeline):
    """Return the largest difference between the shipped file and the workflow over all rows of a table."""
    shipped, difference, largest = Shipped(path), 0.0, 1.0
    for start in range(0, len(table), ROWS_AT_ONCE):
        rows = table.iloc[start : start + ROWS_AT_ONCE]
        expected, by_file = pipeline.outputs(rows), shipped.scores(typed_inputs(shipped, rows))
        # The maximum of numpy keeps what is no number.
        difference, largest = np.maximum(difference, np.abs(by_file - expected).max()), max(largest, np.abs(expected).max())
    return float(difference / largest)


def typed_inputs(shipped, table):
    """Return the graph's inputs of typed rows, whose columns are named as the graph names them."""
    return {graph_input(column["name"]): as_array(table[column["name"]], column) for column in shipped.columns}
