"""A job imports the libraries that it runs with and no others: their imports are most of what small jobs take."""

import ast
import os
import subprocess
import sys

import pytest
from conftest import REPOSITORY

SCRIPTS = REPOSITORY / "workflow" / "scripts"
HEAVY = ("torch", "pytorch_lightning", "sklearn", "scipy.optimize", "lightgbm", "onnx", "onnxruntime", "matplotlib", "openpyxl")
# What scripts import before they know what they are asked for; all others import none of the heavy libraries.
NEEDED = {
    "diagnose": {"sklearn"},
    "explain": {"sklearn"},
    "export": {"sklearn", "onnx", "onnxruntime"},
    "fit": {"sklearn"},
    "impute": {"sklearn"},
    "measure": {"sklearn", "onnx", "onnxruntime"},
    "predict": {"onnxruntime"},
    "report": {"matplotlib"},
    "slice": {"sklearn"},
    "synthesize": {"sklearn"},
}
# Lightning imports most of these itself.
TRAINING = ("train", "distill", "update")


@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("*.py") if path.stem not in TRAINING))
def test_a_script_imports_no_library_that_it_may_not_need(script):
    tree = ast.parse((SCRIPTS / f"{script}.py").read_text())
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    asked = f"print([name for name in {HEAVY} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    code = "\n".join(["import sys", *imports, asked])
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    # scikit-learn imports scipy.optimize itself.
    needed = NEEDED.get(script, set())
    allowed = needed | ({"scipy.optimize"} if "sklearn" in needed else set())
    assert set(ast.literal_eval(found.stdout)) <= allowed
