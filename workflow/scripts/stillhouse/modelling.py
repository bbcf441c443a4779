"""What all rules that make models share: what they read for a split, and what they write of it."""

from contextlib import contextmanager

import pandas as pd

from stillhouse.calibration import OnOriginalPrior
from stillhouse.columns import ROW, STOP
from stillhouse.decisions import decide
from stillhouse.predictions import prediction_table, rows_to_predict
from stillhouse.seeds import derive
from stillhouse.splits import held_out
from stillhouse.tables import file_of, read_fitted, read_json, read_split, split_writer, write_fitted


class Job:
    """The inputs of a model's job, a split at a time."""

    def __init__(self, inputs, params, wildcards):
        self.inputs, self.options, self.splits = inputs, params.options, params.splits
        self.folds = pd.read_parquet(inputs.folds)
        self.classes = read_json(inputs.schema)["classes"]
        self.n_classes = len(self.classes or [])
        self.keeps_all = params.get("keeps_all", False)
        self._seed = derive(params.seed, wildcards.dataset, params.kin)

    def seed(self, split):
        """Return the seed of this model in a split; a student and its twin have the same."""
        return derive(self._seed, split["name"])

    def sample(self, split):
        """Return the rows to fit on."""
        return read_split(self.inputs.sample, split["name"])

    def start(self, split):
        """Return the networks that a network is to begin with, None for most."""
        return read_fitted(self.inputs.start, split["name"]).model if self.inputs.start else None

    def ledger(self, split):
        """Return the class prior before and after balancing, None for a regression."""
        return read_json(file_of(self.inputs.ledger, split["name"]))[split["name"]]

    @contextmanager
    def results(self, output):
        """Yield ``keep(split, sample, model, history)``, which predicts what the split holds out, and write it all at the end.

        Fitted models are kept for splits that hold out one fold at most, or for all where others begin with their weights;
        beyond, only their predictions are needed.
        """
        fitted, histories = {}, {}
        with split_writer(output.predictions) as write:

            def keep(split, sample, model, history=None):
                model = OnOriginalPrior(model, self.ledger(split), sample[sample[STOP]])
                write(split["name"], self._predicted(split, model))
                if self.keeps_all or len(held_out(split["name"])) <= 1:
                    fitted[split["name"]] = model
                if history is not None:
                    histories[split["name"]] = history

            yield keep
        write_fitted(fitted, output.fitted)
        if histories:
            with split_writer(output.history) as write:
                for name, history in histories.items():
                    write(name, history)

    def _predicted(self, split, model):
        rows = rows_to_predict(self.folds, split)
        if rows.empty:
            return prediction_table(rows, [], self.classes, [] if self.classes else None)
        features = read_split(self.inputs.features, split["name"]).set_index(ROW).loc[rows].reset_index()
        scores = model.predict(features)
        return prediction_table(rows, scores, self.classes, decide(scores, model.factors) if self.classes else None)
