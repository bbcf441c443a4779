"""Students through the workflow: every way of teaching, from a table to what is said of it and shipped."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import Run
from sklearn.linear_model import LogisticRegression

from stillhouse.splits import held_out, plain_split

pytestmark = pytest.mark.workflow

NETWORK = {"method": "mlp", "width": 8, "depth": 1, "epochs": 6}
TOLD = {"alpha": "auto", "temperature": "auto", "pool": "logits", "transfer": ["deploy", "synthetic", "unlabelled"]}
MODELS = {
    "tree": {"prepare": {"impute": "none"}, "fit": {"method": "tree"}},
    "net": {"train": NETWORK},
    "student": {"distill": {**NETWORK, "teacher": ["tree", "net"], **TOLD}},
    "hinted": {"distill": {**NETWORK, "teacher": "net", "hints": 0.5, "alpha": 0.3}},
    "chained": {"distill": {"method": "logistic", "teacher": "hinted"}},
}
THEIRS = {
    "theirs": {"read": {"method": "external", "table": "{dataset}-theirs.csv", "held_out": "fold"}},
    "ours": {"distill": {"method": "tree", "teacher": "theirs"}},
}


def table(rows=260, seed=0):
    rng = np.random.default_rng(seed)
    found = pd.DataFrame({"x": rng.normal(size=rows).round(3), "y": rng.normal(size=rows).round(3)})
    found["site"] = rng.choice(["a", "b", "c"], rows)
    found["ill"] = np.where(2 * found["x"] + (found["site"] == "a") + rng.normal(size=rows) > 0.5, "yes", "no")
    return found.assign(y=found["y"].mask(found.index % 9 == 0))


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A run with students of a network and of another student, by rows of every kind without labels."""
    run = Run(tmp_path_factory.mktemp("students"))
    parts = {"unlabelled": ["more.csv"], "deploy": "deploy.csv", "synthetic": {"method": "gibbs", "share": 0.5}}
    run.config = {
        "datasets": {"ill": {"train": "ill.csv", "target": "ill", **parts}},
        "models": MODELS,
        "export": ["student", "chained"],
        "report": {"draws": 100},
    }
    table().to_csv(run / "ill.csv", index=False)
    table(60, seed=1).drop(columns="ill").to_csv(run / "more.csv", index=False)
    table(60, seed=2).drop(columns="ill").to_csv(run / "deploy.csv", index=False)
    run.write(run.config)
    run()
    return run


def students(run):
    return pd.read_csv(run / "results/ill/students.csv").set_index(["student", "other"])


def test_every_student_stands_beside_its_teachers_and_its_twin(taught):
    found = students(taught)
    assert set(found.index) == {
        *(("student", "tree"), ("student", "net"), ("student", "studenttwin"), ("hinted", "net"), ("hinted", "hintedtwin")),
        *(("chained", "hinted"), ("chained", "chainedtwin")),
    }
    assert found["gap_low"].le(found["gap_high"]).all()
    assert found.loc[("student", "net"), "agreement"] > 0.5


def test_a_students_split_predicts_the_synthetic_rows_whose_parents_it_learns_from_and_other_splits_none(taught):
    synthetic = pd.read_parquet(taught / "results/ill/synthetic.parquet")
    assert len(synthetic) == 130
    predictions = pd.read_parquet(taught / "results/ill/models/net/split-all/predictions.parquet")
    folds = set(synthetic["parents"])
    assert any("+" in split for split in set(predictions["split"]))
    for split, part in predictions.groupby("split"):
        out = held_out(plain_split(split))
        told = set() if len(out) > 1 else folds - out
        assert set(synthetic.loc[synthetic["row"].isin(part["row"]), "parents"]) == told, split


def test_what_is_chosen_is_said_in_the_report(taught):
    page = (taught / "results/ill/report.html").read_text()
    assert "were chosen on stop rows" in page
    assert "Students compared with their teachers" in page
    assert "Shipped files" in page
    history = pd.read_parquet(taught / "results/ill/models/student/split-all/history.parquet")
    chosen = history[(history["phase"] == "choice") & (history["split"] == "0")]
    assert len(chosen) == 10
    assert chosen["kept"].sum() == 1


@pytest.mark.parametrize("model", ["student", "chained"])
def test_what_is_shipped_has_its_card_and_its_footprint(taught, model):
    place = taught / "results/ill/deploy"
    footprint = json.loads((place / f"{model}.footprint.json").read_text())
    assert footprint["bytes"] == (place / f"{model}.onnx").stat().st_size
    assert f"{footprint['bytes']:,} bytes of ONNX" in (place / f"{model}.card.md").read_text()


def test_a_second_run_does_nothing(taught):
    assert taught.jobs() == {}


def write_theirs(run, column):
    """Predictions of a simple model, each row by one that had not seen its fold, as somebody else would make them."""
    rows = pd.read_parquet(run / "results/ill/table.parquet")
    folds = pd.read_parquet(run / "results/ill/folds.parquet")["fold"]
    X, label = rows[["x"]].to_numpy(), rows["label"]
    found = pd.DataFrame({"row": rows["row"], "fold": folds})
    for fold in sorted(set(folds)):
        seen = (folds >= 0) & (folds != fold)
        model = LogisticRegression().fit(X[seen], label[seen])
        found.loc[folds == fold, ["p_no", "p_yes"]] = model.predict_proba(X[folds == fold])
    found[["row", "p_no", "p_yes", *column]].to_csv(run / "ill-theirs.csv", index=False)


@pytest.mark.parametrize(
    ("held_out", "said"), [("fold", "may be slightly too good"), ("none", "is treated as one of an unseen row")]
)
def test_predictions_of_others_teach_and_the_report_says_what_is_assumed(taught, held_out, said):
    write_theirs(taught, ["fold"] if held_out == "fold" else [])
    theirs = {**THEIRS["theirs"]["read"], "held_out": held_out}
    taught.write({**taught.config, "export": [], "models": {"tree": MODELS["tree"], **THEIRS, "theirs": {"read": theirs}}})
    taught("results/ill/report.html")
    assert said in (taught / "results/ill/report.html").read_text()
    assert ("ours", "theirs") in students(taught).index
    metrics = json.loads((taught / "results/ill/models/theirs/metrics.json").read_text())
    assert metrics["held_out"]["metrics"]["auc"]["value"] > 0.7
