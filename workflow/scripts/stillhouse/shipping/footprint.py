"""The footprint of a model: its size in bytes, and the time of predicting one row, preparation included."""

import tempfile
import time
from pathlib import Path

import numpy as np

from stillhouse.shipping.export import exported, metadata, typed_inputs
from stillhouse.shipping.onnx.estimators import parameters_in_graph
from stillhouse.shipping.serving import Shipped
from stillhouse.tables import pickled

# How many rows are predicted one by one and timed: those of a model card, which states a high quantile; of other files; and by
# the workflow. A tenth as many before them are not timed.
CARD_ROWS, FILE_ROWS, WORKFLOW_ROWS = 2000, 400, 10
AS_GRAPH, AS_FITTED = "ONNX", "as a Python object"


def footprint(pipeline, table, schema, has_graph):
    """Return bytes and median milliseconds of one row on one core: of the ONNX file if there is one, else of the pipeline.

    ``table`` has typed rows without labels.
    """
    if has_graph:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(exported(pipeline, metadata(schema, pipeline, "measured", "model", {})))
            size, taken = path.stat().st_size, file_milliseconds(path, table, FILE_ROWS)
        return {"bytes": size, "milliseconds": float(np.median(taken)), "form": AS_GRAPH}
    taken = milliseconds_of(pipeline.predict, [table.iloc[[index % len(table)]] for index in range(WORKFLOW_ROWS)])
    return {"bytes": len(pickled(pipeline)), "milliseconds": float(np.median(taken)), "form": AS_FITTED}


def file_footprint(path, table, pipeline):
    """Return a shipped file's bytes, parameters, and milliseconds of one row on one core, preparation included."""
    median, p99 = np.quantile(file_milliseconds(path, table, CARD_ROWS), [0.5, 0.99])
    return {
        "bytes": path.stat().st_size,
        "parameters": sum(parameters(model.model) for model in pipeline.models),
        "milliseconds": {"median": float(median), "p99": float(p99)},
        "rows": CARD_ROWS,
    }


def file_milliseconds(path, table, count):
    """Return the milliseconds that a shipped file takes for each of ``count`` rows, one by one, on one core."""
    shipped = Shipped(path, threads=1)
    inputs = typed_inputs(shipped, table.iloc[:count])
    positions = np.resize(np.arange(min(len(table), count)), count)
    rows = [{name: values[[position]] for name, values in inputs.items()} for position in positions]
    return milliseconds_of(lambda row: shipped.session.run(None, row), rows)


def milliseconds_of(predict, rows):
    """Return the milliseconds that a function takes for each row; a tenth of the rows come twice, the first time untimed."""
    for row in rows[: len(rows) // 10]:
        predict(row)
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
