"""Later batches: each is predicted before it is learned from, by a frozen, an updated and a retrained model."""

from dataclasses import replace

import numpy as np
import pandas as pd

from stillhouse.columns import BATCH, FOLD, GROUP, LABEL, ROW, STATE, STATES, STOP, WEIGHT
from stillhouse.config.models import AUTO
from stillhouse.distillation.soft_targets import Teaching, student_sample
from stillhouse.intake.folds import OF_BATCHES
from stillhouse.intake.kinds import feature_columns
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.predictions import columns_of, prior_ratio
from stillhouse.preparation.features import Recipe, prepared, reads_labels
from stillhouse.preparation.sample import balanced_sample, stop_rows, training_sample, whole_sample
from stillhouse.preparation.weights import weighed
from stillhouse.seeds import derive
from stillhouse.splits import Split

FROZEN, UPDATED, RETRAINED = STATES


class Followed:
    """A shipped model that is followed through batches; ``options`` has the options of every step of its making, and
    under ``teachers`` the paths of the predictions of each model that it learns from.

    ``table`` has the typed rows with labels; ``shipped`` has the fitted model of split ``none`` and its features.
    """

    def __init__(self, table, folds, schema, shipped, options, seed):
        self.table, self.folds, self.classes, self.columns = table, folds, schema["classes"], feature_columns(schema)
        self.model, self.features = shipped
        # This job has one device, whatever the shipped model was trained on.
        self.options = {**options, "model": {**options["model"], "devices": 1}}
        self.seed = seed
        self.n_classes = len(self.classes or [])

    def scores(self):
        """Yield for each batch and state: batch, state, row numbers and scores, by a model that has not seen the batch."""
        updated, retrained = self.model, (self.model, self.features)
        last = int(self.table[BATCH].max())
        for batch in range(1, last + 1):
            rows = self.table.loc[self.table[BATCH] == batch, ROW]
            yield batch, FROZEN, rows, predicted(self.model, self.features, rows)
            yield batch, UPDATED, rows, predicted(updated, self.features, rows)
            yield batch, RETRAINED, rows, predicted(*retrained, rows)
            if batch < last:
                updated, retrained = self.updated(updated, rows, batch), self.retrained(batch)

    def updated(self, model, rows, batch):
        """Return the model after further training on a batch alone; unchanged if the batch is too small for stop rows."""
        seed = derive(self.seed, "update", batch)
        sample = self.sample_of(rows, seed)
        if sample[STOP].all() or not sample[STOP].any():
            return model
        options = self.options["model"] | {"seeds": len(model.model.members), "new_head": False}
        rows = int((~sample[STOP]).sum())
        if rows < 2:
            return model
        if options["batch"] != AUTO and options["batch"] > rows:
            options["batch"] = AUTO
        network, _ = train([TrainingSet(sample, None, options, self.n_classes, seed, start=model.model)])[0]
        return model.with_model(network)

    def sample_of(self, rows, seed):
        """Return a batch as a sample with stop rows, weighted to the class prior that the shipped model has learned."""
        keys = self.folds[self.folds[ROW].isin(rows)]
        sample = self.features.merge(keys, on=ROW).merge(self.table[[ROW, LABEL]], on=ROW)
        is_one = GROUP in sample and sample[GROUP].nunique() == 1
        sample[STOP] = is_one or stop_rows(sample, self.n_classes, self.options["stop"], derive(seed, "stop"))[0]
        factor = np.ones(len(sample))
        if ledger := self.model.ledger:
            factor = prior_ratio(ledger.after, ledger.before)[sample[LABEL].astype(int)]
        return sample.assign(**{WEIGHT: factor})

    def retrained(self, batch):
        """Return a model retrained from scratch, preparation included, on the training rows and all batches so far."""
        seed = derive(self.seed, "retrain", batch)
        folds, split = self.folds_with(batch)
        labels = self.table[[ROW, LABEL]]
        imputer = self.options["imputer"]
        known = labels if reads_labels(imputer, self.columns) else None
        _, features = prepared(self.table, known, folds, split, Recipe(self.columns, imputer, self.classes), seed)
        weights, _ = weighed(features, folds, split, self.options["weigher"], seed)
        rows = training_sample(features, weights, labels, folds, split)
        resampler = self.options["resampler"]
        sample, ledger, _ = balanced_sample(rows, self.n_classes, self.options["stop"], resampler, seed)
        whole, of_whole = whole_sample(rows, self.n_classes, resampler, seed)

        def training_set(sample, ledger, follows):
            model, soft = self.options["model"], None
            if teachers := self.options["teachers"]:
                teaching = Teaching(teachers, folds, self.classes, model, again=follows is not None)
                sample, soft = student_sample(sample, features, split, ledger, teaching)
            return TrainingSet(sample, soft, model, self.n_classes, seed, follows=follows)

        first = training_set(sample, ledger, None)
        (network, _), (again, _) = train([first, training_set(whole, of_whole, first)])
        fitted = OnOriginalPrior(network, ledger, sample[sample[STOP]])
        return fitted if again is None else fitted.fitted_again(again, of_whole, keeps_first=False), features

    def folds_with(self, batch):
        """Return folds in which the batches so far are a further fold, and the split that trains on all folds."""
        last = int(self.folds[FOLD].max())
        is_known = (self.table[BATCH] <= batch) & (self.folds[FOLD] == OF_BATCHES).to_numpy()
        folds = self.folds.assign(**{FOLD: self.folds[FOLD].where(~is_known, last + 1)})
        split = Split(**self.options["split"])
        return folds, replace(split, train=[*split.train, last + 1])


def predicted(model, features, rows):
    """Return a model's scores of some rows, in their order."""
    return model.predict(features.set_index(ROW).loc[rows].reset_index())


def as_table(steps, classes):
    """Return the results of ``Followed.scores`` as one table: batch, state, row and predictions."""
    names = columns_of(classes)
    parts = [
        pd.DataFrame(scores[:, : len(names)], columns=names).assign(**{BATCH: batch, STATE: state, ROW: rows.to_numpy()})
        for batch, state, rows, scores in steps
    ]
    return pd.concat(parts, ignore_index=True)[[BATCH, STATE, ROW, *names]]
