"""Gaps that are drawn several times, through all files: what differs between the draws, and what is told of them."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import Run

pytestmark = pytest.mark.workflow
CONFIG = {
    "folds": {"k": 3},
    "imputers": {"drawn": {"method": "iterative", "draw": True, "rounds": 3, "scale": False}},
    "datasets": {"d": {"train": "rows.csv", "target": "ill", "positive": "yes"}},
    "models": {
        "linear": {"prepare": {"impute": "drawn"}, "fit": {"method": "logistic"}},
        "tree": {"fit": {"method": "tree", "depth": 3}},
    },
    "report": {"draws": 200, "imputations": 3, "control": []},
}
FOLDERS = ["results/d", "results/d/imputation2", "results/d/imputation3"]


@pytest.fixture(scope="module")
def imputed(tmp_path_factory):
    """The finished run, of rows with gaps in one column, some of which lack no value."""
    folder, rng = Run(tmp_path_factory.mktemp("imputed"), CONFIG), np.random.default_rng(0)
    x = rng.normal(size=(300, 2)) @ np.array([[1, 0.7], [0, 0.7]])
    ill = x.sum(axis=1) + rng.logistic(size=300) > 0
    table = pd.DataFrame(x, columns=["a", "b"]).assign(ill=np.where(ill, "yes", "no"))
    table.loc[rng.random(300) < 0.4, "b"] = np.nan
    table.to_csv(folder / "rows.csv", index=False)
    folder()
    return folder


def test_draws_differ_in_the_values_for_gaps_and_in_nothing_else(imputed):
    folds = [pd.read_parquet(imputed / f"{folder}/folds.parquet") for folder in FOLDERS]
    assert folds[0].equals(folds[1])
    parts = [
        pd.read_parquet(imputed / f"{folder}/prepared/impute-drawn/split-all/features.parquet").select_dtypes("float32")
        for folder in FOLDERS
    ]
    is_gap = pd.read_csv(imputed / "rows.csv")["b"].isna().to_numpy()
    features = [part.to_numpy().reshape(-1, len(is_gap), part.shape[1]) for part in parts]
    for first, second in ((0, 1), (1, 2)):
        differs = (features[first] != features[second]).any(axis=(0, 2))
        assert (differs == is_gap).all()
    assert not (imputed / "results/d/imputation2/models/tree").exists()


def test_pooled_metrics_stand_in_files_and_on_the_page(imputed):
    found = json.loads((imputed / "results/d/imputations.json").read_text())
    singles = [json.loads((imputed / f"{folder}/models/linear/metrics.json").read_text()) for folder in FOLDERS]
    values = [one["held_out"]["metrics"]["auc"]["value"] for one in singles]
    assert found["metrics"]["auc"]["imputations"] == pytest.approx(values)
    assert len(set(values)) == 3
    assert found["complete_rows"] == 300 - pd.read_csv(imputed / "rows.csv")["b"].isna().sum()
    predictions = pd.read_parquet(imputed / "results/d/imputations.parquet")
    assert (predictions["spread"] > 0).sum() > 100
    page = (imputed / "results/d/report.html").read_text()
    assert "With values for gaps in columns of numbers drawn 3 times, “linear” has a pooled AUC of" in page
    assert "rows without a gap alone" in page
    assert (imputed / "results/d/figures/imputations.svg").exists()
