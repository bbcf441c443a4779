"""The models of a configuration by library calls: what a run of the workflow makes of one table, without starting jobs.

Whatever is asked for is made with all that it is made from, once, so that a test pays for what it looks at alone.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
from conftest import SCHEMA

from stillhouse.columns import LABEL, PARENTS, ROW
from stillhouse.config.checks.configuration import checked
from stillhouse.config.models import hint_teacher, method_folder, start, upstream, verb
from stillhouse.config.plan import Plan
from stillhouse.distillation.hints import hints
from stillhouse.ensembles.stacking import fit_stacker, stacker_predictions
from stillhouse.intake.folds import make_folds, with_synthetic_rows
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.intake.near_copies import with_near_copies_equal
from stillhouse.learning.fitting import fit, fitted_again
from stillhouse.learning.job import REFIT_ALL, Job
from stillhouse.learning.networks import networks
from stillhouse.learning.students import students
from stillhouse.predictions.decisions import decide
from stillhouse.predictions.predictions import prediction_table, rows_to_predict, rows_without_labels
from stillhouse.preparation.features import Recipe, prepared, reads_labels
from stillhouse.preparation.sample import balanced_sample, training_sample, whole_sample
from stillhouse.preparation.transfer_rows import synthetic_rows
from stillhouse.preparation.weights import weighed
from stillhouse.seeds import derive
from stillhouse.splits import NONE, first_of, plain_split, whole_of
from stillhouse.tables import read_first, read_fitted, read_split, split_writer

SEED = 1


def intake(config):
    """Return the typed table of a configuration's only dataset, its schema and its folds."""
    config = checked(config, SCHEMA)
    (dataset,) = config["datasets"].values()
    table, schema = load(dataset, np.random.default_rng(0))
    columns = feature_columns(schema)
    names = [column["name"] for column in columns]
    return (
        table,
        schema,
        make_folds(with_near_copies_equal(table, columns), names, schema["classes"], config["folds"]["k"], SEED),
    )


class Chain:
    """All models of a configuration on one table; files of predictions and of what was fitted go into a folder."""

    def __init__(self, folder, config, table, schema, folds):
        self.folder, self.config, self.table, self.schema = folder, checked(config, SCHEMA), table, schema
        self.plan, self.columns = Plan(self.config), feature_columns(schema)
        (self.dataset,) = self.config["datasets"]
        self.synthetic = self._synthetic(folds)
        self.folds_of_table, self.folds = folds, with_synthetic_rows(folds, self.synthetic)
        self.features, self.sample, self.made = cache(self.features), cache(self.sample), cache(self.made)

    def _synthetic(self, folds):
        options = self.config["datasets"][self.dataset].get("synthetic")
        without_labels = self.table.drop(columns=LABEL)
        return synthetic_rows(without_labels, folds, self.columns, options, SEED) if options else None

    def features(self, imputer, split):
        """Return the prepared features of every row, those of synthetic rows among them."""
        options, rows = self.config["imputers"][imputer], self.table.drop(columns=LABEL)
        if self.synthetic is not None:
            rows = pd.concat([rows, self.synthetic.drop(columns=PARENTS)], ignore_index=True)
        labels = self.table[[ROW, LABEL]] if reads_labels(options, self.columns) else None
        described, seed = self.plan.describe(self.dataset, split), derive(SEED, imputer, split)
        return prepared(rows, labels, self.folds, described, Recipe(self.columns, options, self.schema["classes"]), seed)[1]

    def sample(self, imputer, weigher, resampler, split):
        """Return the rows that a model is fitted on, and their ledger; ``split`` may be the name of a whole sample."""
        name = plain_split(split)
        config, described, seed = self.config, self.plan.describe(self.dataset, name), derive(SEED, name)
        features = self.features(imputer, name)
        weights, _ = weighed(features, self.folds_of_table, described, config["weighers"][weigher], seed)
        rows = training_sample(features, weights, self.table[[ROW, LABEL]], self.folds_of_table, described)
        n_classes = len(self.schema["classes"])
        if split != name:
            return whole_sample(rows, n_classes, config["resamplers"][resampler], seed)
        return balanced_sample(rows, n_classes, config["folds"]["stop"], config["resamplers"][resampler], seed)[:2]

    def predictions(self, model, split):
        """Return what a model's split predicts."""
        return read_split(self.made(model, split).predictions, split)

    def made(self, name, split):
        """Return the files of a model's split."""
        folder = self.folder / name / f"split-{split}"
        folder.mkdir(parents=True, exist_ok=True)
        files = SimpleNamespace(**{key: folder / f"{key}.file" for key in ("predictions", "fitted", "history")})
        (self._stack if "stack" in self.plan.models[name] else self._model)(name, split, files)
        return files

    def sources(self, name, split):
        """Return the files with the predictions that a model learns from, under their models' names."""
        described = self.plan.describe(self.dataset, split)
        splits = dict.fromkeys([split, *described.unseen.values()])
        return {source: [self.made(source, one).predictions for one in splits] for source in upstream(self.plan.models[name])}

    def _model(self, name, split, files):
        job = ModelJob(self, name, split)
        (described,) = job.splits
        with job.results(files) as keep:
            if "fit" in job.model:
                sample, how = job.sample(described), (job.options, job.n_classes, 1, job.seed(described))
                model = fit(sample, *how)
                keep(described, sample, model, None, fitted_again(model, job.whole(described), *how))
            elif "train" in job.model:
                (found,) = networks(job, threads=1, title=name, checkpoints=None)
                keep(*found)
            else:
                (found,) = students(job, threads=1, title=name, checkpoints=None)
                keep(*found)

    def _stack(self, name, split, files):
        described, classes = self.plan.describe(self.dataset, split), self.schema["classes"]
        options, members = self.plan.models[name]["stack"], self.sources(name, split)
        stacker, factors = fit_stacker(members, self.table[[ROW, LABEL]], self.folds, described, self.schema, options)
        with split_writer(files.predictions) as write:
            own, first = rows_to_predict(self.folds, described), rows_without_labels(self.folds, described)
            for way, rows, read in ((split, own, read_split), (first_of(split), first, read_first)):
                scores = stacker_predictions(stacker, members, rows, described, classes, read)
                write(way, prediction_table(rows, scores, classes, decide(scores, factors)))


class ModelJob(Job):
    """The job of one model and one split, whose inputs are made by a chain."""

    def __init__(self, chain, name, split):
        self.chain, self.model = chain, chain.plan.models[name]
        self.options, self.splits = self.model[verb(self.model)], [chain.plan.describe(chain.dataset, split)]
        self.folds, self.classes, self.costs = chain.folds, chain.schema["classes"], chain.schema["costs"]
        self.n_classes, self.keeps_all, self.is_network = len(self.classes), True, method_folder(self.model) == "architectures"
        self.sources, self.memory = chain.sources(name, split), float("inf")
        self._seed = derive(SEED, chain.plan.seed_name(name))

    def _sample(self, split):
        prepare = self.model["prepare"]
        return self.chain.sample(prepare["impute"], prepare["weigh"], prepare["resample"], split)

    def sample(self, split):
        return self._sample(split.name)[0]

    def whole(self, split):
        is_again = split.name == NONE or self.options["refit"] == REFIT_ALL
        return self._sample(whole_of(split.name))[0] if is_again else None

    def ledger(self, name):
        return self._sample(name)[1]

    def features(self, split):
        return self.chain.features(self.model["prepare"]["impute"], split.name)

    def start(self, split, again=False):
        name = start(self.model)
        if not name:
            return None
        fitted = read_fitted(self.chain.made(name, split.name).fitted, split.name)
        return fitted.model if again else fitted.first or fitted.model

    def hints(self, split, sample):
        teacher = hint_teacher(self.model)
        if not teacher:
            return None
        imputer = self.chain.plan.models[teacher]["prepare"]["impute"]
        return hints(
            sample,
            self.folds,
            split.unseen,
            teacher_of=lambda name: read_fitted(self.chain.made(teacher, name).fitted, name).model,
            features_of=lambda name: self.chain.features(imputer, name),
        )
