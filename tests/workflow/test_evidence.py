"""Evidence through all files: sets by a column, groups, a learning curve, and what a shipped file says of a row."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, Run

pytestmark = pytest.mark.workflow
CONFIG = {
    "folds": {"k": 4},
    "datasets": {
        "d": {
            "train": "rows.csv",
            "deploy": "later.csv",
            "target": "ill",
            "positive": "yes",
            "group": "patient",
            "drop": ["ward"],
            "slices": ["ward"],
            "sets_by": "ward",
        }
    },
    "models": {
        "linear": {"fit": {"method": "logistic"}},
        "tree": {"fit": {"method": "tree", "depth": 3}},
        "stack": {"stack": {"method": "linear", "members": ["linear", "tree"]}},
    },
    "export": ["linear"],
    "report": {"draws": 200, "halvings": 1, "sets": "aps", "by_class": True, "control": [], "explain_rows": True},
}


def rows(count, seed, wards):
    """Patients with two visits each, in wards of a number, one of which has hardly a patient."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3))
    ill = x[:, 0] + 0.5 * x[:, 1] + rng.logistic(size=count) > 0.5
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(ill=np.where(ill, "yes", "no"))
    return table.assign(patient=np.arange(count) // 2, ward=np.where(np.arange(count) < 8, 3, rng.choice(wards, count)))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """The finished run."""
    folder = Run(tmp_path_factory.mktemp("evidence"), CONFIG)
    rows(400, 0, [1, 2]).to_csv(folder / "rows.csv", index=False)
    rows(60, 1, [1, 2, 9]).drop(columns="ill").to_csv(folder / "later.csv", index=False)
    folder()
    return folder


def metrics_of(evidence, name, dataset="d"):
    return json.loads((evidence / f"results/{dataset}/models/{name}/metrics.json").read_text())["held_out"]


def test_sets_hold_in_every_ward_and_class_and_a_small_ward_is_named(evidence):
    held_out = metrics_of(evidence, "linear")
    covered = held_out["conformal"]
    assert set(covered["groups"]) >= {"1", "2"}
    for found in [covered["groups"]["1"], covered["groups"]["2"], *covered["classes"].values()]:
        assert found["value"] == pytest.approx(0.9, abs=0.06)
    limits = {line["group"]: line["limits"] for line in held_out["sets"]["strata"]}
    assert limits["3"] == [None, None]
    page = (evidence / "results/d/report.html").read_text()
    assert "Sets of new rows exclude nothing" in page
    assert "Coverage of conformal sets by ward" in page


def test_the_page_and_the_checklist_tell_what_the_files_say(evidence):
    page, held_out = (evidence / "results/d/report.html").read_text(), metrics_of(evidence, leader(evidence))
    tuned = held_out["decisions"]["tuned"]
    told = {name: f"{100 * one['value']:.3g} % (" for name, one in tuned.items()}
    said = page[page.index("At its tuned threshold") :][:900]
    assert f"decides for yes in {told['sensitivity']}" in said
    assert f"and for no in {told['specificity']}" in said
    assert f"decisions for yes {told['positive predictive value']}" in said
    assert f"those for no {told['negative predictive value']}" in said
    assert "With 400 rows in place of" in page
    assert "Six telling rows" in page
    assert "The worst mistakes of linear" in page
    told = pd.read_csv(evidence / "results/d/contributions.csv")
    assert told["row"].nunique() == 6
    of_rows = told.groupby("row").agg({"effect": "sum", "predicted": "first", "typical": "first"})
    assert (of_rows["predicted"] - of_rows["typical"]).to_numpy() == pytest.approx(of_rows["effect"].to_numpy())
    half = metrics_of(evidence, "linear", "d/share2")
    assert half["rows"] == pytest.approx(200, abs=8)
    checklist = (evidence / "results/d/tripod.md").read_text()
    assert "Conformal sets are made by `ward`." in checklist
    slices = pd.read_csv(evidence / "results/d/slices.csv").set_index("slice")
    assert slices.loc["ward is 1", "covered"] == pytest.approx(0.9, abs=0.06)


def leader(evidence):
    return pd.read_csv(evidence / "results/d/comparison.csv")["model"].iloc[0]


def test_a_shipped_file_says_which_classes_a_row_may_have_and_what_each_column_did(evidence):
    command = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/d/deploy/linear.onnx", "later.csv"]
    run = subprocess.run(
        [*command, "-o", "out.csv", "--sets", "--explain", "--check"],
        cwd=evidence.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    found, later = pd.read_csv(evidence / "out.csv"), pd.read_csv(evidence / "later.csv")
    everything = found["in_no"] & found["in_yes"]
    unknown = later["ward"].isin([3, 9]).to_numpy()
    assert everything[unknown].all()
    assert not everything[~unknown].all()
    assert f"{(later['ward'] == 9).sum()} rows are of a group that no held-out row has" in run.stderr
    effects = found[["effect_a", "effect_b", "effect_c"]]
    gaps = found["p_yes"] - effects.sum(axis=1)
    assert gaps.to_numpy() == pytest.approx(gaps.iloc[0], abs=1e-6)
    assert np.corrcoef(effects["effect_a"], later["a"])[0, 1] > 0.9
    # The sets are those that the workflow makes by the same thresholds, wherever a row stands in its file.
    later[30:].to_csv(evidence / "part.csv", index=False)
    part = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/d/deploy/linear.onnx", "part.csv"]
    subprocess.run([*part, "-o", "part-out.csv", "--sets"], cwd=evidence.folder, check=True, capture_output=True)
    columns = ["in_no", "in_yes"]
    assert (pd.read_csv(evidence / "part-out.csv")[columns].to_numpy() == found[columns][30:].to_numpy()).all()
