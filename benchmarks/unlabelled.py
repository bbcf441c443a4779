"""What unlabelled texts are worth where labels are few, for docs/benchmarks.md.

    python benchmarks/unlabelled.py TABLES [sms-spam trec]

TABLES is the folder that stands for data/. Of each table a hundred texts, drawn anew five times with all classes among them,
are labelled; of the others two fifths are scored, and the rest has no labels. A logistic model and boosted trees with the
default settings learn from the hundred, by features that the encoder of texts learns of them alone, or of the unlabelled ones
too. There are the mean AUC (over classes, one against the rest) and log loss, and a paired t interval for the gain of AUC.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import t
from sklearn.metrics import log_loss, roc_auc_score
from texts import written

from stillhouse.columns import LABEL, STOP, WEIGHT
from stillhouse.config.completion import complete_choice, complete_options, fill
from stillhouse.config.settings import load_schema
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.learning.fitting import fit
from stillhouse.preparation.features import preparation
from stillhouse.preparation.sample import stop_rows
from stillhouse.preparation.target_means import as_targets

SCHEMA = load_schema()
LABELLED, SCORED, DRAWS, PARTS = 100, 0.4, 5, 5
MODELS = ("logistic", "boosting")


def read(name, tables):
    """Return the typed rows of a table, given test rows among them, and their schema."""
    with tempfile.TemporaryDirectory() as folder:
        test = written(name, tables, Path(folder))
        files = [f"{folder}/{file}" for file in ("texts.csv", test) if file]
        dataset = {"train": files, "target": "label", "drop": [], "kinds": {"text": "text"}}
        return load(fill(dataset, SCHEMA["$defs"]["dataset"], SCHEMA), np.random.default_rng(0))


def drawn(labels, classes, rng):
    """Return the places of labelled, scored and unlabelled rows; every class is among the labelled."""
    while True:
        order = rng.permutation(len(labels))
        if len(set(labels[order[:LABELLED]])) == classes:
            break
    scored = LABELLED + round(SCORED * (len(labels) - LABELLED))
    return np.split(order, [LABELLED, scored])


def scores(table, schema, parts, unlabelled, method, seed):
    """Return the AUC and the log loss of a model that learned from the first part of the rows."""
    few, scored, rest = (table.iloc[part].reset_index(drop=True) for part in parts)
    texts = {"method": "ngrams", "unlabelled": unlabelled}
    options = complete_choice(SCHEMA, "imputers", {"method": "median", "texts": texts}, where=())
    made = preparation(feature_columns(schema), options, schema["classes"], seed)
    known = as_targets(few[LABEL], schema["classes"])
    sample = made.fit_transform(few, known, np.arange(len(few)) % PARTS, rest)
    sample = sample.assign(**{LABEL: few[LABEL], WEIGHT: 1.0})
    sample[STOP] = stop_rows(sample, len(schema["classes"]), 0.15, seed)[0] if method == "boosting" else False
    model = {**complete_options(SCHEMA, "estimators", {"method": method}, where=()), "bag": 0, "boost": 0, "search": {}}
    fitted = fit(sample, model, len(schema["classes"]), threads=2, seed=seed)
    p, label = fitted.predict(made.transform(scored)), scored[LABEL].astype(int)
    auc = roc_auc_score(label, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr", labels=range(p.shape[1]))
    return auc, log_loss(label, p, labels=range(p.shape[1]))


def measure(name, tables):
    """Print a line for each model on a table."""
    table, schema = read(name, tables)
    labels = table[LABEL].to_numpy(int)
    for method in MODELS:
        found = []
        for draw in range(DRAWS):
            parts = drawn(labels, len(schema["classes"]), np.random.default_rng(draw))
            found.append([scores(table, schema, parts, unlabelled, method, draw) for unlabelled in (False, True)])
        found = np.array(found)
        gains = found[:, 1, 0] - found[:, 0, 0]
        wide = t.ppf(0.975, DRAWS - 1) * gains.std(ddof=1) / DRAWS**0.5
        of_both = " | ".join(f"{auc:.4f} / {loss:.3f}" for auc, loss in found.mean(axis=0))
        gain = f"{gains.mean():+.4f} ({gains.mean() - wide:+.4f} to {gains.mean() + wide:+.4f})"
        print(f"| {name} | {method} | {of_both} | {gain} |", flush=True)


if __name__ == "__main__":
    print(
        "| table | model | of the labelled alone | of unlabelled texts too | gain of AUC |\n|---|---|---|---|---|", flush=True
    )
    for name in sys.argv[2:] or ["sms-spam", "trec"]:
        measure(name, Path(sys.argv[1]))
