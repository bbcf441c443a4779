"""Samples and settings of small networks."""

import numpy as np
import pandas as pd
from conftest import network_options, trained

NAMES = [*(f"n{place}:x{place}" for place in range(5)), "m1:x1 is missing", "c5:a=1", "c5:a=2", "c5:a=3", "c6:b=1", "c6:b=2"]


BARE = {"numbers": "none", "heads": 1}


SMALL = {
    "mlp": {**BARE, "width": 8, "categorical": "onehot"},
    "resnet": {**BARE, "width": 8, "categorical": "onehot"},
    "transformer": {**BARE, "embedding": 8, "attention_heads": 2},
}


def options(method="mlp", **given):
    return network_options(method, **{**SMALL[method], **given})


def features_of(rows, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 5))
    flag = rng.random((rows, 1)) < 0.2
    words = [np.eye(size)[rng.integers(0, size, rows)] for size in (3, 2)]
    return np.hstack([numbers, flag, *words]).astype(np.float32)


def sample_of(rows=300, seed=0, task="classes"):
    X, rng = features_of(rows, seed), np.random.default_rng(seed)
    signal = X[:, 0] * X[:, 1] + X[:, 2] + X[:, 6]
    label = (signal + rng.normal(size=rows) > 0.5).astype(float) if task == "classes" else signal * 3 + 7
    sample = pd.DataFrame(X, columns=NAMES).assign(row=range(rows), label=label, weight=1.0 + (rng.random(rows) < 0.3))
    return sample.assign(stop=np.arange(rows) % 6 == 0)


def fitted(sample=None, n_classes=2, seed=1, **given):
    sample = sample_of() if sample is None else sample
    return trained(sample, options(**{"epochs": 3, **given}), n_classes, seed)


def scores(model):
    return model.predict(pd.DataFrame(features_of(40, seed=9), columns=NAMES))


# A small plain network.
NETWORK = network_options(
    numbers="none", heads=1, categorical="onehot", width=8, depth=1, dropout=0.0, epochs=30, patience=5, rate=0.01, decay=0.0
)
