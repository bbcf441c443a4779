"""Planted leaks: each of thirteen that people really make is put into the code, and the guard or the control catches it.

The guard: what a split predicts of rows that it does not hold out cannot depend on those that it does, not by one bit, and what
it predicts of held-out rows cannot depend on their labels. The control: labels that were shuffled cannot be predicted.
"""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, Run, report_run, write_table_with_categories
from guard import flip, flip_and_shuffle

from stillhouse.report.sections import control
from stillhouse.tables import write_table

pytestmark = pytest.mark.slow

LIBRARY = "workflow/scripts/stillhouse/"
TABLE = 'pd.read_parquet("results/breastcancer/table.parquet")'
LABELS = 'read_table("results/breastcancer/table.parquet", columns=["row", "label"])'

# What is planted: a file, a text in it and what takes its place, and the model that suffers.
SEEN_BY_THE_GUARD = {
    "scaling before the split": (
        LIBRARY + "preparation/features.py",
        "features = made.fit(table[is_fitted], unlabelled=without_labels).transform(table)",
        "features = made.fit(table).transform(table)",
        "logistic",
    ),
    "filling gaps before the split": (
        LIBRARY + "preparation/features.py",
        "            self.imputer.fit(self.raw(table))\n",
        f"            self.imputer.fit(self.raw({TABLE}))\n",
        "logistic",
    ),
    "mean labels of all rows": (
        LIBRARY + "preparation/features.py",
        "        fitted = table[is_fitted], known, parts_of(folds[is_fitted], seed), without_labels\n",
        "        is_known = labels[LABEL].notna().to_numpy()\n"
        "        known = as_targets(labels[LABEL][is_known], recipe.classes)\n"
        "        fitted = table[is_known], known, parts_of(folds[is_known], seed), without_labels\n"
        "        is_fitted = is_known\n",
        "encoded",
    ),
    "choosing columns by all labels": (
        "workflow/scripts/impute.py",
        "preparations = {}\n",
        f"every = {TABLE}\n"
        "rated = {c['name']: abs(every[c['name']].corr(every['label'])) for c in recipe.columns if c['kind'] == 'numeric'}\n"
        "chosen = [c for c in recipe.columns if rated.get(c['name'], 0) > sorted(rated.values())[-6]]\n"
        "recipe = Recipe(chosen, recipe.options, recipe.classes)\n"
        "preparations = {}\n",
        "logistic",
    ),
    "resampling before the split": (
        LIBRARY + "preparation/sample.py",
        "split.train",
        "[*split.train, *split.held_out]",
        "smote",
    ),
    "weights that saw held-out rows": (
        LIBRARY + "preparation/weights.py",
        "rows_in(fold, split.train, FOLD), rows_in",
        "rows_in(fold, [*split.train, *split.held_out], FOLD), rows_in",
        "weighed",
    ),
    "early stopping on the scored fold": (
        "workflow/scripts/fit.py",
        "        model = fit(",
        "        from pandas import concat, read_parquet\n"
        '        labels = read_parquet("results/breastcancer/table.parquet", columns=["row", "label"])\n'
        '        every = job.features(split).merge(labels, on="row").merge(job.folds, on="row")\n'
        '        scored = every[every["fold"].isin(split.held_out)].assign(weight=1.0, stop=True)\n'
        '        sample = concat([sample[~sample["stop"]], scored[sample.columns]])\n'
        "        model = fit(",
        "boosting",
    ),
    "a threshold tuned on the scored fold": (
        LIBRARY + "learning/job.py",
        "                model = OnOriginalPrior(model, self.ledger(split.name), sample[sample[STOP]], self.costs)\n",
        f'                every = self.features(split).merge({LABELS}, on="row").merge(self.folds, on="row")\n'
        '                scored = every[every["fold"].isin(split.held_out)].assign(weight=1.0)\n'
        "                model = OnOriginalPrior(model, self.ledger(split.name), scored, self.costs)\n",
        "logistic",
    ),
    "calibration on the scored fold": (
        LIBRARY + "learning/job.py",
        "                model = OnOriginalPrior(model, self.ledger(split.name), sample[sample[STOP]], self.costs)\n",
        f'                every = self.features(split).merge({LABELS}, on="row").merge(self.folds, on="row")\n'
        '                scored = every[every["fold"].isin(split.held_out)].assign(weight=1.0)\n'
        "                model = OnOriginalPrior(model, self.ledger(split.name), scored, self.costs)\n",
        "smote",
    ),
    "a stack whose members saw the scored fold": (
        LIBRARY + "config/plan.py",
        "        return {fold: split_name(held_out(split) | {fold}) for fold in self.trained(split)}\n",
        "        return {fold: split_name({fold}) for fold in self.trained(split)}\n",
        "stack",
    ),
}
# The same, and what of the dataset makes it show.
SEEN_BY_THE_CONTROL = {
    "duplicates across folds": (
        LIBRARY + "intake/folds.py",
        "    same = None if keys else copies(train, names, duplicates)\n",
        "    same = None\n",
        {},
    ),
    "a group in several folds": (
        LIBRARY + "intake/folds.py",
        "train[GROUP] if GROUP in table else",
        "pd.Series(range(len(train)), index=train.index) if GROUP in table else",
        {"group": "patient"},
    ),
    "the target in a feature": (
        LIBRARY + "intake/load.py",
        "    features, columns, typed_notes = typed_features(raw, dataset)\n",
        '    features, columns, typed_notes = typed_features(raw.assign(outcome=raw[dataset["target"]] + "!"), dataset)\n',
        {},
    ),
}


def configuration(models, **dataset):
    """The table of the leak guard, with gaps, and labelled deploy rows that models are weighed for."""
    challenge = {"deploy": {"column": "mean texture", "share": 0.3, "strength": 1}, "gaps": {"random": 0.05}}
    return {
        "datasets": {
            "breastcancer": {
                "train": "table.csv",
                "target": "diagnosis",
                "positive": "malignant",
                "challenge": challenge,
                **dataset,
            }
        },
        "folds": {"k": 3},
        "imputers": {"means": {"method": "median", "encode": "target", "categories": 2}},
        "models": models,
        "report": {"control": [next(iter(models))]},
    }


MODELS = {
    "logistic": {"fit": {"method": "logistic"}},
    "encoded": {"prepare": {"impute": "means"}, "fit": {"method": "logistic"}},
    "smote": {"prepare": {"resample": "smote"}, "fit": {"method": "logistic"}},
    "weighed": {"prepare": {"weigh": "logistic"}, "fit": {"method": "logistic"}},
    "boosting": {"fit": {"method": "boosting", "rounds": 50, "patience": 3, "leaf": 5}},
    "tree": {"fit": {"method": "tree"}},
    "stack": {"stack": {"method": "linear", "members": ["logistic", "tree"]}},
}


@pytest.fixture
def planted(tmp_path):
    """Return a function that copies the workflow with a text of one file replaced, and returns the Snakefile."""

    def plant(file, old, new):
        folder = tmp_path / "checkout"
        for name in ("workflow", "profiles", "config"):
            shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "Snakefile", folder)
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
        return folder / "Snakefile"

    return plant


def seen(snakefile, folder, model):
    """Return whether the guard sees that what split 0 predicts depends on what it must not see."""
    target = f"results/breastcancer/models/{model}/split-0/predictions.parquet"
    honest = Run(folder / "honest", configuration(MODELS))
    write_table_with_categories(honest / "table.csv")
    honest(target, snakefile=snakefile)
    folds = pd.read_parquet(honest / "results/breastcancer/folds.parquet")
    table, is_held_out = pd.read_parquet(honest / "results/breastcancer/table.parquet"), (folds["fold"] == 0).to_numpy()
    before, verdicts = pd.read_parquet(honest / target), []
    for tamper, looked_at in ((flip_and_shuffle, ~is_held_out), (flip, np.ones(len(folds), bool))):
        run = Run(folder / tamper.__name__, configuration(MODELS))
        place = run / "results" / "breastcancer"
        shutil.copytree(honest / "results" / "breastcancer", place)
        shutil.rmtree(place / "prepared")
        shutil.rmtree(place / "models")
        shutil.copy2(honest / "table.csv", run.folder)
        write_table(tamper(table, is_held_out), place / "table.parquet")
        (place / "folds.parquet").touch()
        run("--rerun-triggers", "mtime", "--", target, snakefile=snakefile)
        after = pd.read_parquet(run / target)
        rows = before["row"].isin(folds["row"][looked_at])
        verdicts.append(not before[rows].reset_index(drop=True).equals(after[rows].reset_index(drop=True)))
    return any(verdicts)


@pytest.mark.parametrize("leak", SEEN_BY_THE_GUARD)
def test_the_guard_catches(leak, planted, tmp_path):
    *plant, model = SEEN_BY_THE_GUARD[leak]
    assert seen(planted(*plant), tmp_path, model)


@pytest.mark.parametrize("model", sorted({model for *_, model in SEEN_BY_THE_GUARD.values()}))
def test_the_guard_is_silent_where_nothing_is_planted(model, tmp_path):
    assert not seen(REPOSITORY / "Snakefile", tmp_path, model)


def alarm_of(folder, snakefile, dataset):
    """Return what the report would say in red of a table whose rows come three times."""
    run = Run(folder, configuration({"tree": {"fit": {"method": "tree", "depth": 20, "leaf": 1}}}, challenge={}, **dataset))
    write_table_with_categories(run / "table.csv")
    table = pd.read_csv(run / "table.csv").assign(patient=lambda rows: np.arange(len(rows)))
    pd.concat([table] * 3).to_csv(run / "table.csv", index=False)
    path = "results/breastcancer/control/models/tree/metrics.json"
    run(path, snakefile=snakefile)
    schema = {"task": "binary", "classes": None, "costs": None, "alerts": []}
    return control.alarms(report_run(schema=schema, control={"tree": json.loads((run / path).read_text())}))


@pytest.mark.parametrize("leak", SEEN_BY_THE_CONTROL)
def test_the_control_catches(leak, planted, tmp_path):
    *plant, dataset = SEEN_BY_THE_CONTROL[leak]
    assert alarm_of(tmp_path / "planted", planted(*plant), dataset)[0].startswith("Something leaks: on shuffled labels")


@pytest.mark.parametrize("dataset", [{}, {"group": "patient"}], ids=["duplicates", "groups"])
def test_the_control_is_silent_where_nothing_is_planted(dataset, tmp_path):
    assert alarm_of(tmp_path / "clean", REPOSITORY / "Snakefile", dataset) == []
