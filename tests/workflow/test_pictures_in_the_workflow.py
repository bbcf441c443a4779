"""Pictures in, a small model out: a folder of pictures is a table like others, from its files to the shipped file."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY, Run
from picture_samples import content, network_file, shapes
from sklearn.metrics import roc_auc_score

pytestmark = pytest.mark.workflow
SMALL = {"method": "cnn", "channels": [6, 8], "width": 8, "heads": 1, "rate": 0.02, "schedule": "onecycle"}
CONFIG = {
    "folds": {"k": 4},
    "datasets": {
        "cells": {
            "train": "folder:pictures/train",
            "deploy": "folder:pictures/later",
            "target": "shape",
            "positive": "disc",
            "slices": ["picture"],
            "pictures": {"damaged": "gap"},
        }
    },
    "imputers": {
        "whole": {"method": "median", "pictures": {"method": "pixels"}},
        "known": {"method": "median", "pictures": {"method": "frozen", "file": "net.onnx"}},
    },
    "models": {
        "linear": {"prepare": {"weigh": "logistic"}, "fit": {"method": "logistic"}},
        "known": {"prepare": {"impute": "known"}, "fit": {"method": "logistic"}},
        "network": {"prepare": {"impute": "whole"}, "train": {**SMALL, "epochs": 12}},
        "stack": {"stack": {"method": "linear", "members": ["linear", "network"]}},
        "student": {"prepare": {"impute": "whole"}, "distill": {**SMALL, "teacher": "stack", "alpha": 0.3, "epochs": 12}},
    },
    "export": ["student", "stack"],
    "report": {"prepare": {"weigh": "logistic"}, "draws": 100, "pictures": True},
}


def write_pictures(folder, rows, seed, light=0):
    arrays, label = shapes(rows, seed)
    for place, (array, code) in enumerate(zip(arrays, label, strict=True)):
        own = folder / "train" / ("disc" if code else "cross") if seed == 0 else folder / "later"
        own.mkdir(parents=True, exist_ok=True)
        (own / f"{place:03d}.png").write_bytes(content((array.astype(int) + light).clip(0, 255).astype(np.uint8)))
    return label


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The finished run of pictures in folders, with lighter ones to deploy on, one of which is damaged."""
    folder = Run(tmp_path_factory.mktemp("cells"), CONFIG)
    write_pictures(folder / "pictures", 200, seed=0)
    write_pictures(folder / "pictures", 60, seed=3, light=40)
    (folder / "pictures/later/007.png").write_bytes(b"no picture")
    network_file(folder / "net.onnx")
    folder()
    return folder


def test_pictures_are_learned_from_by_every_model(cells):
    schema = json.loads((cells / "results/cells/schema.json").read_text())
    (column,) = schema["columns"]
    assert (column["kind"], column["size"], column["channels"]) == ("image", [12, 12], 1)
    assert any("007.png" in note for note in schema["notes"])
    comparison = pd.read_csv(cells / "results/cells/comparison.csv").set_index("model")
    assert comparison.loc[["network", "student", "stack"], "auc"].min() > 0.93


def test_a_typical_picture_of_each_class_is_shown_with_what_carries_it(cells):
    maps = pd.read_csv(cells / "results/cells/occlusions.csv")
    assert set(maps["of"]) == {"cross", "disc"}
    assert maps["drop"].max() > 0.05
    assert (cells / "results/cells/figures/maps.svg").read_text().count("<image") == 4


def test_pictures_are_kept_once_and_never_for_a_split(cells):
    files = [*(cells / "results/cells").rglob("features.parquet"), *(cells / "results/cells").rglob("drawn.parquet")]
    assert len(files) >= 3
    for path in files:
        assert not any("binary" in str(field.type) for field in pq.read_schema(path))


def test_the_shipped_file_predicts_a_folder_of_pictures(cells):
    label = write_pictures(cells / "new", 80, seed=8)
    command = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/cells/deploy/student.onnx", "new/later"]
    said = subprocess.run([*command, "-o", "out.csv"], cwd=cells.folder, check=True, capture_output=True, text=True).stderr
    predicted = pd.read_csv(cells / "out.csv")
    assert predicted["picture"].tolist() == [f"new/later/{place:03d}.png" for place in range(80)]
    assert roc_auc_score(label, predicted["p_disc"]) > 0.9
    (cells / "new/later/003.png").write_bytes(b"no picture")
    said = subprocess.run([*command, "-o", "out.csv"], cwd=cells.folder, check=True, capture_output=True, text=True).stderr
    assert "1 picture cannot be read and counts as a gap: new/later/003.png" in said


def test_the_report_speaks_of_pictures_by_their_light(cells):
    page = (cells / "results/cells/report.html").read_text()
    assert "picture, brightness," in page
    shift = json.loads((cells / "results/cells/shift.json").read_text())
    assert shift["auc"] > 0.8


def test_pictures_are_in_the_report_only_where_they_are_asked_for(cells):
    assert (cells / "results/cells/figures/augmented.svg").read_text().count("<image") == 12
    wrong = pd.read_csv(cells / "results/cells/figures/mistakes.csv")
    table = pd.read_parquet(cells / "results/cells/table.parquet").set_index("row")
    classes = json.loads((cells / "results/cells/schema.json").read_text())["classes"]
    for row, caption in zip(wrong["row"], wrong["caption"], strict=True):
        assert caption.startswith(f"{classes[int(table.loc[row, 'label'])]}, taken for")
    cells.write({**CONFIG, "report": {**CONFIG["report"], "pictures": False}})
    cells("results/cells/report.html")
    assert not (cells / "results/cells/figures/augmented.svg").exists()
    assert "<image" not in (cells / "results/cells/report.html").read_text()


def test_a_network_that_somebody_else_trained_encodes_pictures_and_a_change_of_it_is_seen(cells):
    comparison = pd.read_csv(cells / "results/cells/comparison.csv").set_index("model")
    assert comparison.loc["known", "auc"] > 0.6
    network_file(cells / "net.onnx", kind=10)
    assert cells.jobs("results/cells/models/known/predictions.parquet")["impute"] == 1
    network_file(cells / "net.onnx")


def test_a_picture_that_comes_to_a_folder_makes_its_results_anew(cells):
    assert cells.jobs("results/cells/table.parquet") == {}
    (cells / "pictures/train/disc/900.png").write_bytes(content(shapes(1, seed=77)[0][0]))
    assert cells.jobs("results/cells/table.parquet") == {"load": 1}
