"""A number to predict: quantiles, rare values and nearest rows, from the table to the shipped file and the report."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from conftest import REPOSITORY, Run
from sklearn.datasets import load_diabetes

pytestmark = pytest.mark.workflow
CONFIG = {
    "folds": {"k": 4},
    "datasets": {"d": {"train": "sklearn:diabetes", "target": "target", "task": "regression"}},
    "models": {
        "linear": {"fit": {"method": "logistic"}},
        "nearest": {"fit": {"method": "knn"}},
        "weighed": {"prepare": {"resample": "rare"}, "fit": {"method": "logistic"}},
        "boosted": {"fit": {"method": "boosting", "quantiles": [0.05, 0.95]}},
        "stack": {"stack": {"method": "linear", "members": ["linear", "nearest", "boosted"]}},
        "student": {
            "distill": {"method": "mlp", "teacher": "stack", "width": 16, "alpha": 0.3, "epochs": 30, "quantiles": [0.1, 0.9]}
        },
    },
    "export": ["student"],
    "report": {"draws": 100},
    "estimate": {"minutes": 1.5, "cores": 2},
}


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """The finished run of a regression."""
    folder = Run(tmp_path_factory.mktemp("values"), CONFIG)
    assert "stillhouse: estimated at 1.5 minutes on 2 cores" in folder("--dry-run")
    folder()
    return folder


def test_every_model_is_scored_and_weights_by_value_lower_the_error_at_rare_ones(values):
    comparison = pd.read_csv(values / "results/d/comparison.csv").set_index("model")
    assert set(comparison.index) == {*CONFIG["models"], "studenttwin"}
    assert comparison["r2"].drop(["nearest"]).min() > 0.3
    table = pd.read_parquet(values / "results/d/table.parquet").set_index("row")["label"]
    rare = table[table > table.quantile(0.95)]
    errors = {
        name: (pd.read_parquet(values / f"results/d/models/{name}/predictions.parquet").set_index("row")["prediction"] - table)
        for name in ("weighed", "linear")
    }
    assert (errors["weighed"][rare.index] ** 2).mean() < (errors["linear"][rare.index] ** 2).mean()


def test_predictions_and_the_shipped_file_have_the_quantiles(values):
    assert list(pd.read_parquet(values / "results/d/models/boosted/predictions.parquet"))[1:] == [
        "prediction",
        "q0.05",
        "q0.95",
    ]
    load_diabetes(as_frame=True).data.to_csv(values / "new.csv", index=False)
    command = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/d/deploy/student.onnx", "new.csv"]
    subprocess.run([*command, "-o", "out.csv"], cwd=values.folder, check=True, capture_output=True)
    predicted = pd.read_csv(values / "out.csv")
    assert (predicted["q0.1"] < predicted["q0.9"]).all()
    assert list(predicted) == ["row", "prediction", "q0.1", "q0.9"]


def test_intervals_are_widened_from_quantiles_and_the_report_says_how_many_rows_lie_below(values):
    metrics = json.loads((values / "results/d/models/boosted/metrics.json").read_text())["held_out"]
    assert metrics["conformal"]["value"] == pytest.approx(0.9, abs=0.02)
    sets = pd.read_parquet(values / "results/d/models/boosted/conformal.parquet")
    assert (sets["high"] - sets["low"]).std() > 10
    page = (values / "results/d/report.html").read_text()
    assert "lie below the quantile 0.05" in page
    assert "without weights by value it has" in page
    assert "The run was estimated at 1.5 minutes on 2 cores; its first job began" in page
