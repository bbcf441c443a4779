"""The footprint of a model: its size in bytes, and the time of predicting one row, preparation included."""

import tempfile
import time
from pathlib import Path

import numpy as np

from stillhouse.shipping.export import exported, metadata, typed_inputs
from stillhouse.shipping.onnx.estimators import parameters_in_graph
from stillhouse.shipping.serving import Shipped
from stillhouse.tables import pickled

# How many rows are predicted one by one and timed, by the file and by the workflow, after how many that are not timed.
FILE_ROWS, FILE_WARM_UP = 2000, 200
WORKFLOW_ROWS, WORKFLOW_WARM_UP = 20, 2
AS_GRAPH, AS_FITTED = "ONNX", "as a Python object"


def footprint(pipeline, table, schema, has_graph):
    """Return bytes and median milliseconds of one row on one core: of the ONNX file if there is one, else of the pipeline.

    ``table`` has typed rows without labels.
    """
    if has_graph:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(exported(pipeline, metadata(schema, pipeline, "measured", "model", {})))
            size, taken = path.stat().st_size, file_milliseconds(path, table)
        return {"bytes": size, "milliseconds": float(np.median(taken)), "form": AS_GRAPH}
    rows = [table.iloc[[index % len(table)]] for index in range(WORKFLOW_WARM_UP + WORKFLOW_ROWS)]
    taken = milliseconds_of(pipeline.predict, rows)[WORKFLOW_WARM_UP:]
    return {"bytes": len(pickled(pipeline)), "milliseconds": float(np.median(taken)), "form": AS_FITTED}


def file_footprint(path, table, pipeline):
    """Return a shipped file's bytes, parameters, and milliseconds of one row on one core, preparation included."""
    median, p99 = np.quantile(file_milliseconds(path, table), [0.5, 0.99])
    return {
        "bytes": path.stat().st_size,
        "parameters": sum(parameters(model.model) for model in pipeline.models),
        "milliseconds": {"median": float(median), "p99": float(p99)},
        "rows": FILE_ROWS,
    }


def file_milliseconds(path, table):
    """Return the milliseconds that a shipped file takes for each of many rows, one by one, on one core."""
    shipped = Shipped(path, threads=1)
    inputs = typed_inputs(shipped, table.iloc[:FILE_ROWS])
    positions = np.resize(np.arange(min(len(table), FILE_ROWS)), FILE_ROWS)
    rows = [{name: values[[position]] for name, values in inputs.items()} for position in positions]
    return milliseconds_of(lambda row: shipped.session.run(None, row), [*rows[:FILE_WARM_UP], *rows])[FILE_WARM_UP:]


def milliseconds_of(predict, rows):
    """Return the milliseconds that each call of a function takes."""
    taken = []
    for row in rows:
        begin = time.perf_counter()
        predict(row)
        taken.append(1000 * (time.perf_counter() - begin))
    return taken


def parameters(fitted):
    """Return the number of parameters of networks or of an estimator."""
    if hasattr(fitted, "networks"):
        from stillhouse.networks.architecture import parameter_count

        return sum(map(parameter_count, fitted.networks))
    return parameters_in_graph(fitted)
