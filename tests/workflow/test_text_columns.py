"""Raw texts in, a small model out: texts are a column like others, from the table to the shipped file."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from conftest import REPOSITORY, Run
from sklearn.metrics import roc_auc_score

pytestmark = pytest.mark.workflow
CONFIG = {
    "folds": {"k": 4},
    "datasets": {
        "sms": {
            "train": "sms.csv",
            "deploy": "later.csv",
            "target": "label",
            "positive": "spam",
            "slices": ["text"],
        }
    },
    "imputers": {"read": {"method": "median", "texts": {"method": "ngrams", "size": 30, "words": 500, "characters": 500}}},
    "models": {
        "linear": {"prepare": {"impute": "read", "weigh": "logistic"}, "fit": {"method": "logistic"}},
        "student": {
            "prepare": {"impute": "read", "weigh": "logistic"},
            "distill": {"method": "mlp", "width": 16, "depth": 1, "teacher": "linear", "alpha": 0.3, "epochs": 20},
        },
    },
    "export": ["student"],
    "report": {"prepare": {"impute": "read", "weigh": "logistic"}, "draws": 100},
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory, shared_tables):
    """The finished run of messages, of which the last are deploy rows."""
    folder = Run(tmp_path_factory.mktemp("texts"), CONFIG)
    rows = pd.read_csv(shared_tables / "sms-spam" / "sms.tsv", sep="\t", quoting=3, names=["label", "text"]).iloc[:1500]
    rows = rows.assign(hour=range(len(rows)))
    rows["hour"] = rows["hour"] % 24
    rows[:1200].to_csv(folder / "sms.csv", index=False)
    rows[1200:].to_csv(folder / "later.csv", index=False)
    folder()
    return folder


def test_texts_are_read_by_every_model(texts):
    schema = json.loads((texts / "results/sms/schema.json").read_text())
    assert {column["source"]: column["kind"] for column in schema["columns"]} == {"text": "text", "hour": "numeric"}
    comparison = pd.read_csv(texts / "results/sms/comparison.csv").set_index("model")
    assert comparison.loc[["linear", "student"], "auc"].min() > 0.96


def test_the_shipped_file_predicts_raw_texts_alone(texts):
    rows = pd.read_csv(texts / "later.csv")
    rows.drop(columns="label").to_csv(texts / "new.csv", index=False)
    command = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/sms/deploy/student.onnx", "new.csv"]
    subprocess.run([*command, "-o", "out.csv"], cwd=texts.folder, check=True, capture_output=True)
    predicted = pd.read_csv(texts / "out.csv")
    assert roc_auc_score(rows["label"] == "spam", predicted["p_spam"]) > 0.96
    assert (texts / "results/sms/deploy/student.onnx").stat().st_size < 400_000


def test_the_report_speaks_of_texts_by_their_words(texts):
    page = (texts / "results/sms/report.html").read_text()
    assert "text, number of words," in page
    importance = pd.read_csv(texts / "results/sms/importance.csv").set_index("column")
    assert importance.loc["text", "loss"] > 0.2 > importance.loc["hour", "loss"]
