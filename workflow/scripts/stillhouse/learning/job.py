"""The job of a rule that makes models: the inputs of each split, and the files that are written."""

import os
from contextlib import contextmanager
from functools import cached_property

from stillhouse.columns import HISTORY, PARENTS, PHASE, ROW, SETTINGS, STOP
from stillhouse.config.dataset import variant
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.intake.folds import with_synthetic_rows
from stillhouse.methods import is_method
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.decisions import decide
from stillhouse.predictions.predictions import prediction_table, rows_to_predict, rows_without_labels
from stillhouse.preparation.ledger import Ledger
from stillhouse.preparation.picture_columns import with_pictures
from stillhouse.preparation.sample import with_features
from stillhouse.seeds import derive
from stillhouse.splits import NONE, first_of, held_out, splits_from, whole_of
from stillhouse.tables import file_of, positions_of, read_fitted, read_json, read_split, read_table, split_writer, write_fitted

# The types of a history's columns, so that those of splits with and without lines fit together; ``kept`` is 1, 0 or absent.
HISTORY_TYPES = {**dict.fromkeys(HISTORY, "float64"), PHASE: "str", SETTINGS: "str"}

# The value of `refit` by which the models of all splits are fitted again, and not only those that are shipped.
REFIT_ALL = "all"

# The names of inputs with other models' predictions: this prefix, then the model's name.
SOURCE = "source_"


class Job:
    """The inputs of a model's job, split by split; ``memory`` is what it may take, in bytes."""

    def __init__(self, inputs, params, wildcards, resources=None):
        self.inputs, self.options, self.splits = inputs, params.options, splits_from(params.splits)
        self.folds = read_folds(inputs)
        schema = read_json(inputs.schema)
        self.classes, self.costs, self._columns = schema["classes"], schema["costs"], schema["columns"]
        self.n_classes = len(self.classes or [])
        self.keeps_all = params.get("keeps_all", False)
        self.is_network = is_method("architectures", self.options["method"])
        self.sources = sources(inputs)
        self.memory = memory_of(resources or {})
        self._seed = derive(params.seed, variant(wildcards.dataset), params.seed_name)
        if self.levels and self.classes:
            raise UserError("quantiles are of values, and the target has classes; leave them out, or set task: regression")

    @property
    def levels(self):
        """The levels of the quantiles that are learned beside a value."""
        return self.options.get("quantiles", [])

    def split(self, name):
        """Return a split by its name."""
        return next(split for split in self.splits if split.name == name)

    def seed(self, split):
        """Return the seed of this model in a split; a student and its twin have the same seed."""
        return derive(self._seed, split.name)

    def sample(self, split):
        """Return the rows to fit on."""
        return self._sample(split, split.name)

    def whole(self, split):
        """Return all training rows of a split, on which its model is fitted again; None if it is not."""
        is_again = split.name == NONE or self.options["refit"] == REFIT_ALL
        return self._sample(split, whole_of(split.name)) if is_again else None

    def _sample(self, split, name):
        rows, drawn = (read_split(paths, name) for paths in (self.inputs.sample, self.inputs.drawn))
        return with_features(rows, self.features(split), drawn)

    def features(self, split):
        """Return the prepared features of every row, with the pictures that a network reads."""
        return self._with_pictures(read_split(self.inputs.features, split.name))

    def _with_pictures(self, features):
        return with_pictures(features, self._pictures, self._columns) if self.is_network else features

    @cached_property
    def _pictures(self):
        """The rows of the table with their pictures alone, one copy for all splits; of pictures there are no synthetic rows."""
        names = [ROW, *(column["name"] for column in self._columns if column["kind"] == kinds.IMAGE)]
        return read_table(self.inputs.table, columns=names)

    def start(self, split, again=False):
        """Return the fitted networks that a network is warm-started with, or None.

        Those that were fitted again on all rows have seen the stop rows, so that only what is fitted ``again`` starts there.
        """
        if not self.inputs.start:
            return None
        fitted = read_fitted(self.inputs.start, split.name)
        return fitted.model if again else fitted.first or fitted.model

    def ledger(self, name):
        """Return the ledger of a split, or of the whole sample; None for a regression."""
        priors = read_json(file_of(self.inputs.ledger, name))[name]["ledger"]
        return priors and Ledger(**priors)

    def hints(self, split, sample):
        """Return the targets of the hint outputs for the rows of a sample, or None without hints."""
        if not self.options.get("hints"):
            return None
        from stillhouse.distillation.hints import hints

        fitted, features = self.inputs.hint_fitted, self.inputs.hint_features
        return hints(
            sample,
            self.folds,
            split.unseen,
            teacher_of=lambda name: read_fitted(fitted, name).model,
            features_of=lambda name: self._with_pictures(read_split(features, name)),
        )

    @contextmanager
    def results(self, output):
        """Yield ``keep(split, sample, model, history, again)``, which predicts what the split holds out; write all at the end.

        ``again`` is the model that was fitted again on all training rows of the split, or None. Fitted models are written for
        splits that hold out at most one fold, or for all splits where other models are warm-started with them or take hints;
        of the others only the predictions are needed.
        """
        fitted, histories = {}, {}
        with split_writer(output.predictions) as write:

            def keep(split, sample, model, history=None, again=None):
                model = OnOriginalPrior(model, self.ledger(split.name), sample[sample[STOP]], self.costs)
                if again is not None:
                    write(first_of(split.name), self._predicted(split, model, rows_without_labels(self.folds, split)))
                    model = model.fitted_again(again, self.ledger(whole_of(split.name)), self.keeps_all)
                write(split.name, self._predicted(split, model, rows_to_predict(self.folds, split)))
                if self.keeps_all or len(held_out(split.name)) <= 1:
                    fitted[split.name] = model
                if history is not None:
                    histories[split.name] = history

            yield keep
        write_fitted(fitted, output.fitted)
        if histories:
            with split_writer(output.history) as write:
                for name, history in histories.items():
                    lines = history.reindex(columns=HISTORY).astype({SETTINGS: "object"}).fillna({SETTINGS: ""})
                    write(name, lines.astype(HISTORY_TYPES))

    def _predicted(self, split, model, rows):
        if rows.empty:
            return prediction_table(rows, [], self.classes, [] if self.classes else None, self.levels)
        features = self.features(split)
        features = features.iloc[positions_of(rows, features)]
        scores = model.predict(features)
        decided = decide(scores, model.factors) if self.classes else None
        return prediction_table(rows, scores, self.classes, decided, self.levels)


def memory_of(resources):
    """Return the bytes of memory that a job counts on: those that its rule was given, or else half of the machine's."""
    given = resources.get("mem_mb")
    return given * 1e6 if given else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2


def read_folds(inputs):
    """Return the folds of a job's rows, with synthetic rows if there are any."""
    synthetic = read_table(inputs.synthetic, columns=[ROW, PARENTS]) if inputs.synthetic else None
    return with_synthetic_rows(read_table(inputs.folds), synthetic)


def sources(inputs):
    """Return the paths of the predictions that a job learns from, by the name of their model."""
    return {key.removeprefix(SOURCE): paths for key, paths in inputs.items() if key.startswith(SOURCE)}
