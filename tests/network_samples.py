"""Samples and settings of small networks."""

import numpy as np
import pandas as pd
import torch
from conftest import network_options, trained

from stillhouse.methods import build
from stillhouse.networks.architecture import inputs_of, tokens_of
from stillhouse.networks.rows import scale_of
from stillhouse.networks.training_sets import TRAINING_SETTINGS
from stillhouse.networks.vectorized.members import Member, Table

NAMES = [*(f"n{place}:x{place}" for place in range(5)), "m1:x1 is missing", "c5:a=1", "c5:a=2", "c5:a=3", "c6:b=1", "c6:b=2"]
# Two columns of texts, which networks without words pass over.
NAMES += [f"w{column}:text {place:03d}" for column in (7, 8) for place in range(6)]
# Two columns of pictures, of two colours and of one.
PICTURES = ["p9:scan 2x6x9", "p10:photo 1x8x8"]
NO_CHANGE = {"turn": 0, "zoom": 0, "shear": 0, "shift": 0}


BARE = {"numbers": "none", "heads": 1}


SMALL = {
    "mlp": {**BARE, "width": 8, "categorical": "onehot"},
    "resnet": {**BARE, "width": 8, "categorical": "onehot"},
    "transformer": {**BARE, "embedding": 8, "attention_heads": 2},
    "wordbag": {**BARE, "word_width": 4, "width": 8, "categorical": "onehot"},
    "textcnn": {**BARE, "word_width": 4, "width": 8, "categorical": "onehot", "kernels": [1, 3], "channels": 5},
    "rnn": {**BARE, "word_width": 4, "width": 8, "categorical": "onehot", "units": 5},
    "attention": {**BARE, "word_width": 4, "width": 8, "categorical": "onehot", "attention_heads": 2},
    "cnn": {**BARE, "width": 8, "categorical": "onehot", "channels": [3, 4], "grid": 1, "augment": NO_CHANGE},
    "resnet2d": {**BARE, "width": 8, "categorical": "onehot", "channels": [3, 4], "augment": NO_CHANGE, "norm": "none"},
}


def options(method="mlp", **given):
    return network_options(method, **{**SMALL[method], **given})


def features_of(rows, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 5))
    flag = rng.random((rows, 1)) < 0.2
    words = [np.eye(size)[rng.integers(0, size, rows)] for size in (3, 2)]
    return np.hstack([numbers, flag, *words, words_of(rows, seed)]).astype(np.float32)


def words_of(rows, seed):
    """The numbers of up to six words of two texts, with zeros after the last one."""
    rng = np.random.default_rng(seed + 1000)
    lengths = rng.integers(0, 7, (rows, 2, 1))
    return np.where(np.arange(6) < lengths, rng.integers(1, 12, (rows, 2, 6)), 0).reshape(rows, -1)


def pixels_of(rows, seed=0):
    """The bytes of two pictures of each row, whose mean is told by the first number."""
    rng = np.random.default_rng(seed + 2000)
    light = 128 + 40 * np.tanh(features_of(rows, seed)[:, :1])
    return (light + rng.normal(0, 40, (rows, 2 * 6 * 9 + 8 * 8))).clip(0, 255).astype(np.uint8)


def frame_of(rows, seed=0):
    """The features of rows as a prepared table has them."""
    pixels = pixels_of(rows, seed)
    scan, photo = ([part.tobytes() for part in block] for block in np.split(pixels, [2 * 6 * 9], axis=1))
    return pd.DataFrame(features_of(rows, seed), columns=NAMES).assign(**{PICTURES[0]: scan, PICTURES[1]: photo})


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
    return model.predict(frame_of(40, seed=9))


# A small plain network.
NETWORK = network_options(
    numbers="none", heads=1, categorical="onehot", width=8, depth=1, dropout=0.0, epochs=30, patience=5, rate=0.01, decay=0.0
)

# Rows of the table that twenty members share, and how many of them each fits.
ROWS = 4000
SIZES = [100, 257, 700, 3000, 3500] * 4

# Settings of networks that differ in all parts of a training.
WAYS = {
    "plain": {},
    "dropout, layer norm, gelu": {"dropout": [0.1, 0.4], "norm": "layer", "activation": "gelu"},
    "batch norm, piecewise, heads": {"norm": "batch", "numbers": "piecewise", "bins": 4, "heads": 3, "categorical": "embedded"},
    "periodic, mixup, smoothing, average": {"numbers": "periodic", "mixup": 0.4, "smoothing": 0.1, "average": 0.9},
    "momentum, plateau, snapshots, curriculum": {
        "optimizer": "momentum", "schedule": "plateau", "snapshots": 3, "curriculum": 3, "patience": 6,
    },
    "resnet": {"method": "resnet", "numbers": "piecewise", "bins": 4},
    "transformer": {"method": "transformer", "numbers": "piecewise", "bins": 4},
    "transformer with heads": {"method": "transformer", "heads": 2, "categorical": None},
    "bag of words, with heads and dropout": {"method": "wordbag", "heads": 2, "dropout": 0.2},
    "convolutions over words": {"method": "textcnn", "numbers": "piecewise", "bins": 4},
    "cells that read both ways": {"method": "rnn", "dropout": 0.2, "heads": 2},
    "attention between words": {"method": "attention", "dropout": 0.2, "places": "sinusoidal"},
    "convolutions over pictures, augmented": {
        "method": "cnn", "dropout": 0.2, "heads": 2,
        "augment": {"turn": 20, "zoom": 0.2, "shear": 0.1, "shift": 0.1, "flip": True, "brightness": 0.2, "contrast": 0.2},
    },
    "residual blocks over pictures": {"method": "resnet2d", "norm": "batch", "mixup": 0.4, "blocks": 2, "pooling": "average"},
}  # fmt: skip


def table_of(rows, dtype=torch.float32, soft=True):
    rng = np.random.default_rng(5)
    X, label = features_of(rows), rng.integers(0, 2, rows)
    parts = {"features": X, "hard": np.eye(2)[label], "weight": 0.5 + rng.random(rows)}
    if soft:
        p = rng.random((rows, 1))
        parts |= {"soft": np.hstack([p, 1 - p])}
    table = Table(**{name: torch.from_numpy(np.asarray(values)).to(dtype) for name, values in parts.items()})
    table.taught = torch.from_numpy(rng.random(rows) < 0.8) if soft else None
    table.pixels = torch.from_numpy(pixels_of(rows))
    return table


def new_module(settings, seed, fitted_rows=None, dtype=torch.float32):
    fitted_rows = features_of(50) if fitted_rows is None else fitted_rows
    torch.manual_seed(seed)
    kept = {key: value for key, value in settings.items() if key not in TRAINING_SETTINGS}
    bins = settings["bins"] if settings["numbers"] == "piecewise" else 0
    tokens, pictures = tokens_of(NAMES, fitted_rows), scale_of(pixels_of(50), PICTURES)
    return build(
        "architectures", kept, inputs=inputs_of([*NAMES, *PICTURES], fitted_rows, bins, tokens, pictures), n_outputs=2
    ).to(dtype)


def member_of(number, settings, **given):
    """One of twenty that differ in all that members may differ in; number 3 diverges."""
    rng = np.random.default_rng(number)
    rows = rng.permutation(ROWS)
    return Member(
        new_module(settings, number, features_of(50, seed=number)),
        **{
            "fitted": rows[: SIZES[number]],
            "stop": rows[SIZES[number] : SIZES[number] + 60 + 90 * (number % 4)],
            "seed": 100 + number,
            "rate": 1e30 if number == 3 else 0.001 * (1 + number % 3),
            "decay": 0.01 * (number % 2),
            "clip": 1e9 if number == 3 else 0.5 + number % 4,
            "l1": 1e-4 * (number % 2),
            "alpha": 0.2 + 0.1 * (number % 5),
            "temperature": 1.0 + number % 3,
            "prior": np.array([0.3, 0.7]),
            "easiest": rows[: SIZES[number]],
            "number": number,
            **given,
        },
    )
