"""Scored rows of small samples, and the settings that they are evaluated by."""

import numpy as np
import pandas as pd

from stillhouse.evaluation.coverage import with_conformal
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import evaluate
from stillhouse.intake.task import Task

SETS = {"coverage": 0.9, "by_class": False, "sets": "lac", "penalty": 0.0, "penalty_from": 1}
SETTINGS = {"draws": 300, "level": 0.95, "precision": 0.9, "quantile": 0.5, **SETS}
BINARY = Task("binary", ["a", "b"])
PROTOCOL = Protocol(BINARY, SETTINGS, seed=1)


def predicted(seed, noise, rows=600):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(labels - 0.5 + noise * np.random.default_rng(seed).normal(size=rows))))
    frame = {
        "row": range(rows),
        "p_a": 1 - score,
        "p_b": score,
        "decision": (score > 0.5).astype(int),
        "label": labels * 1.0,
        "part": "train",
        "fold": rng.integers(0, 3, rows),
    }
    return pd.DataFrame(frame)


def assessed(rows, task=BINARY, timed=False, ratio=None, **given):
    """A model's metrics, conformal ones included."""
    protocol = Protocol(task, SETTINGS, seed=1, ratio=ratio)
    found = evaluate(rows, protocol, **given)
    return with_conformal(found, rows, protocol, timed, given.get("weights"))[0]
