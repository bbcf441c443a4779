"""Shipped models of small samples."""

from conftest import trained
from network_samples import NETWORK
from prepared_samples import prepared_by

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.ledger import Ledger
from stillhouse.shipping.export import exported, metadata

READING = {"separator": "", "columns": None, "encoding": "utf-8", "decimal": ".", "missing": ["", "?"], "missing_in": {}}


AS_IT_WAS = Ledger([0.5, 0.5], [0.5, 0.5], resampled=False)


WAYS = {
    **{method: {"method": method, "categories": 3} for method in ("median", "mean", "frequent", "constant")},
    "means of words": {"method": "median", "categories": 2, "encode": "target"},
    "far values": {"method": "median", "scale": "robust"},
    "less gappy columns": {"method": "mean", "columns_above": 0.1},
    "words alone": {"method": "median", "categories": 2, "encode": "target", "columns_above": 0.0},
}


def ship(way, gappy, tmp_path, options=None, sets=None):
    """A model file, what it was made of, and a raw table with gaps and unseen categories; ``sets`` are its thresholds."""
    table, columns = gappy
    label = (table["dose"] > 2).astype(float)
    prepared = prepared_by(columns, indicators=True, **WAYS[way])
    prepared.fit(table, label.to_numpy()[:, None], parts=table["row"] % 3)
    sample = prepared.transform(table).assign(label=label, weight=1.0, stop=table["row"] % 4 == 0)
    model, _ = trained(sample, options or {**NETWORK, "epochs": 3, "seeds": 2})
    schema = {
        "task": "binary",
        "target": "y",
        "classes": ["low", "high"],
        "columns": columns,
        "reading": READING,
    }
    model = OnOriginalPrior(model, Ledger([0.8, 0.2], [0.5, 0.5], resampled=True), sample[sample["stop"]])
    path = tmp_path / "model.onnx"
    whole = SinglePipeline(prepared, model)
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {}, table.assign(part="train"), sets)))
    odd = table.assign(site=table["site"].where(table.index % 5 != 0, "never seen"))
    return path, odd, prepared, model
