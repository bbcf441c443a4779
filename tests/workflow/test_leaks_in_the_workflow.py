"""The leak guard over rules and scripts: files that a split must not see cannot change what its jobs write, not by one bit."""

import shutil

import pandas as pd
import pytest
from conftest import Run
from guard import changed_rows, configuration, fitted, flip_and_shuffle, students, trained, with_every_method

from stillhouse import tables
from stillhouse.config.checks.configuration import checked
from stillhouse.config.plan import Plan
from stillhouse.splits import held_out

RESULTS = "results/cancer"
# Models that learn from each other, after a preparation that reads labels, weights and resampling.
CHAIN = {
    "modeltree": fitted("tree", impute="means", weigh="logistic", resample="smote"),
    "networkmlp": trained("mlp"),
    "stacklinear": {"stack": {"method": "linear", "members": ["modeltree", "networkmlp"]}},
    **students(),
}


def targets(config, schema):
    """Return the files with every model's predictions, as ``{path: splits that hold out fold 0}``."""
    plan = Plan(checked(config, schema))
    found = {}
    for model in config["models"]:
        splits = [split for split in plan.model_splits("cancer", model) if 0 in held_out(split)]
        # Splits that run together share a file.
        found[f"{RESULTS}/models/{model}/split-{'all' if len(splits) > 1 else splits[0]}/predictions.parquet"] = splits
    return found


class Guarded:
    """A run on the table as it is, and others that make the same anew of a table in which the rows of a fold are others."""

    def __init__(self, folder, models, schema):
        self.folder, self.config = folder, configuration(models, folder)
        self.targets = targets(self.config, schema)
        self.honest = Run(folder / "honest", self.config)
        self.honest(*self.targets)
        self.folds = pd.read_parquet(self.honest / RESULTS / "folds.parquet").set_index("row")["fold"]

    def with_changed(self, fold):
        """Return a run of the same table and folds with the rows of one fold flipped and shuffled."""
        run = Run(self.folder / f"fold-{fold}", self.config)
        place = run / RESULTS
        place.mkdir(parents=True)
        for name in ("table.parquet", "schema.json", "folds.parquet"):
            shutil.copy(self.honest / RESULTS / name, place)
        table = pd.read_parquet(place / "table.parquet")
        tables.write_table(flip_and_shuffle(table, (self.folds == fold).to_numpy()), place / "table.parquet")
        (place / "folds.parquet").touch()
        run("--rerun-triggers", "mtime", "--", *self.targets)
        return run

    def changed(self, other, target):
        """Return the rows of a file whose predictions are others, in splits that hold out fold 0."""
        before, after = (pd.read_parquet(run / target) for run in (self.honest, other))
        is_looked_at = before["split"].isin(self.targets[target])
        assert is_looked_at.any(), target
        return changed_rows(before[is_looked_at], after[is_looked_at])


@pytest.mark.parametrize(
    "models",
    [
        pytest.param(CHAIN, id="one chain", marks=pytest.mark.workflow),
        pytest.param(with_every_method(), id="every method", marks=pytest.mark.slow),
    ],
)
def test_predictions_depend_on_the_rows_that_a_split_may_see_alone(models, schema, tmp_path):
    guarded = Guarded(tmp_path, models, schema)
    parents = pd.read_parquet(guarded.honest / RESULTS / "synthetic.parquet").set_index("row")["parents"]
    fold = pd.concat([guarded.folds, parents])
    unseen, seen = guarded.with_changed(fold=0), guarded.with_changed(fold=1)
    for target in guarded.targets:
        assert set(fold[sorted(guarded.changed(unseen, target))]) <= {0}, target
    assert [target for target in guarded.targets if guarded.changed(seen, target)] == list(guarded.targets)
