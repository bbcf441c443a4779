"""Fitting of estimators from scikit-learn and LightGBM, with one interface for all tasks."""

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.utils.validation import has_fit_parameter

from stillhouse.columns import BOOST, CHOICE, FOLD, LABEL, PHASE, STOP, WEIGHT, features
from stillhouse.config.models import TAUGHT
from stillhouse.distillation.soft_targets import candidates, chosen_candidate, targets
from stillhouse.ensembles.adaboost import Voted, boosted
from stillhouse.ensembles.out_of_bag import out_of_bag
from stillhouse.errors import log
from stillhouse.learning.search import searched
from stillhouse.methods import build
from stillhouse.predictions.predictions import among_all_classes
from stillhouse.seeds import derive

# Classes with a smaller share of a soft label are dropped, or a student's sample would have every row once for each class.
LEAST_SHARE = 1e-3
# The settings that all estimators share.
SHARED = ("bag", "boost", "vote_rate", "refit", "search", "trials")
# Weights that differ by less are equal.
EVEN = 1e-9


class Fitted:
    """A fitted estimator, the names of its features, and the number of all classes, also of those that it never saw.

    ``settings`` are those that were searched on its stop rows, and ``trials`` the table of all that were tried, or None.
    """

    def __init__(self, estimator, names, n_classes):
        self.estimator, self.names, self.n_classes = estimator, names, n_classes
        self.settings, self.trials = {}, None

    @property
    def levels(self):
        """The levels of the quantiles that follow a value."""
        return getattr(self.estimator, "quantiles", ())

    def predict(self, table):
        """Return scores of prepared rows: probabilities (rows, classes), or values (rows, 1), with quantiles after them."""
        X = table[self.names].to_numpy()
        if not self.n_classes:
            values = self.estimator.predict(X)
            return values if values.ndim == 2 else values[:, None]
        return among_all_classes(self.estimator.predict_proba(X), self.estimator.classes_, self.n_classes)


def fit(sample, options, n_classes, threads, seed):
    """Return a model fitted on a sample. Methods with early stopping stop by the stop rows; the others ignore these.

    No model learns from stop rows, as the ledger describes the other rows. If these are of one class, the model predicts that
    class always.
    """
    if options["boost"]:
        return boosted_models(sample, options, n_classes, threads, seed)
    if options["search"]:
        how = n_classes, threads, seed
        found = searched(lambda rows, settings: fit(rows, settings, *how), sample, options, n_classes, seed)
        model, model.settings, model.trials = found[0], *found[1:]
        return model
    names = features(sample)
    if n_classes and sample.loc[~sample[STOP], LABEL].nunique() == 1:
        estimator = DummyClassifier(strategy="prior")
    else:
        estimator = estimator_for(options, n_classes, threads, seed)
    stops = has_fit_parameter(estimator, "stop")
    sample = sample if stops else sample[~sample[STOP]]
    extra = {"stop": sample[STOP].to_numpy()} if stops else {}
    known = {"names": names, "fold": sample[FOLD].to_numpy() if FOLD in sample else None}
    extra |= {key: value for key, value in known.items() if has_fit_parameter(estimator, key)}
    labels = sample[LABEL].to_numpy().astype(int if n_classes else float)
    estimator.fit(sample[names].to_numpy(), labels, sample_weight=sample[WEIGHT].to_numpy(), **extra)
    return Fitted(predicting_on_one_core(estimator), names, n_classes)


def predicting_on_one_core(estimator):
    """Return a fitted estimator that predicts on one core: on several, forests add up their trees in the order of threads."""
    if hasattr(estimator, "set_params") and "n_jobs" in estimator.get_params(deep=False):
        estimator.set_params(n_jobs=1)
    return estimator


def fitted_again(model, whole, options, n_classes, threads, seed):
    """Return a model fitted again on all rows, ``whole``, with the settings that its stop rows chose; None without such rows.

    A boosted model gets as many rounds at most. A method that stops early and does not tell what it chose is not fitted again.
    """
    first = model.models[0] if isinstance(model, Voted) else model
    if whole is None or chosen_settings(first, options) is None:
        return None
    if first is model:
        settings = {"search": {}, **model.settings, **chosen_settings(model, options)}
        return fit(whole, options | settings, n_classes, threads, seed)
    settings = {**options, "boost": 0}

    def fit_all(_, samples, number):
        return [fitted_again(model.models[number], samples[0], settings, n_classes, threads, derive(seed, "round", number))]

    return boosted([whole], fit_all, len(model.models), options["vote_rate"], n_classes, followed={0: 0})[0]


def chosen_settings(model, options):
    """Return the settings that a fitted estimator chose by its stop rows; None where it took stop rows and does not tell."""
    if not has_fit_parameter(model.estimator, "stop"):
        return {}
    if not hasattr(model.estimator, "chosen"):
        log.info("%s has no method `chosen`, so that the shipped model learns from no stop rows", options["method"])
        return None
    return model.estimator.chosen()


def boosted_models(sample, options, n_classes, threads, seed):
    """Return a boosted model; see ``adaboost.py``."""
    settings = {**options, "boost": 0}

    def fit_all(_, samples, number):
        return [fit(own, settings, n_classes, threads, derive(seed, "round", number)) for own in samples]

    return boosted([sample], fit_all, options["boost"], options["vote_rate"], n_classes)[0]


def history_of(model, sample, n_classes):
    """Return the trials of settings and the out-of-bag score of a bag, or the rounds of a boosted model, as a history.

    Bags draw rows by their weights. Rows of large weight are then left out by few members and others by many, so that their
    scores do not compare, and a bag of weighted rows has no score.
    """
    if isinstance(model, Voted):
        return pd.DataFrame([{PHASE: BOOST, "rows": len(model.models), "kept": True}])
    fitted = sample[~sample[STOP]]
    members = member_predictions(model, fitted, n_classes)
    is_scored = members is not None and np.ptp(fitted[WEIGHT]) <= EVEN
    return pd.concat(
        [model.trials, out_of_bag(*members, fitted, n_classes) if is_scored else pd.DataFrame()], ignore_index=True
    )


def member_predictions(model, fitted, n_classes):
    """Return each member's predictions of the fitted rows, and which rows it drew; None for models that are no bags."""
    estimator = getattr(model, "estimator", None)
    if not hasattr(estimator, "estimators_samples_"):
        return None
    X = fitted[model.names].to_numpy()
    drawn = np.stack([np.bincount(rows, minlength=len(X)) > 0 for rows in estimator.estimators_samples_])
    if drawn.all():
        return None
    known = getattr(estimator, "classes_", None)
    return [member_scores(part, X, known, n_classes) for part in estimator.estimators_], drawn


def member_scores(part, X, known, n_classes):
    """Return the predictions of a member of a bag; the classes of a member are indices into ``known``, those of the bag."""
    if not n_classes:
        return part.predict(X).reshape(-1, 1)
    return among_all_classes(part.predict_proba(X), known[np.asarray(part.classes_).astype(int)], n_classes)


def fit_student(sample, soft, options, n_classes, threads, seed):
    """Return a model fitted on labels and soft targets, a history of its candidates, empty for a single one, and its alpha.

    Cross-entropy with soft labels equals that of rows repeated once for each class, with the class's share as weight. The
    squared error to two targets equals that to their weighted mean, up to a constant.
    """
    settings = {key: value for key, value in options.items() if key not in TAUGHT}
    is_stop = sample[STOP].to_numpy()
    pairs, stop = candidates(options, int((~is_stop).sum())), sample[is_stop]
    models = [fit(with_shares(sample, soft, alpha, n_classes), settings, n_classes, threads, seed) for _, alpha in pairs]
    kept, table = chosen_candidate(pairs, models, stop, n_classes) if len(pairs) > 1 else (0, None)
    history = pd.DataFrame() if table is None else table.assign(**{PHASE: CHOICE})
    return models[kept], pd.concat([history, getattr(models[kept], "trials", None)], ignore_index=True), pairs[kept][1]


def student_again(model, whole, soft, alpha, options, n_classes, threads, seed):
    """Return a student fitted again on all rows, ``whole``, with the alpha that was chosen on its stop rows."""
    settings = {key: value for key, value in options.items() if key not in TAUGHT}
    return fitted_again(model, with_shares(whole, soft, alpha, n_classes), settings, n_classes, threads, seed)


def with_shares(sample, soft, alpha, n_classes):
    """Return a sample whose labels are the targets: ``alpha`` of the label, the rest of the soft target; stop rows stay.

    Rows without a soft target keep their label, rows without a label have the soft target.
    """
    is_fitted = ~sample[STOP].to_numpy()
    target = targets(sample, soft, alpha, n_classes)[is_fitted]
    fitted, stop = sample[is_fitted], sample[~is_fitted]
    if not n_classes:
        return pd.concat([fitted.assign(**{LABEL: target[:, 0]}), stop], ignore_index=True)
    rows, codes = np.nonzero(target > LEAST_SHARE)
    share = target[rows, codes] / np.where(target > LEAST_SHARE, target, 0).sum(axis=1)[rows]
    shared = fitted.iloc[rows].assign(**{LABEL: codes, WEIGHT: fitted[WEIGHT].to_numpy()[rows] * share})
    return pd.concat([shared, stop], ignore_index=True)


def estimator_for(options, n_classes, threads, seed):
    """Return the unfitted estimator of a method, bagged if the options say so."""
    settings = {key: value for key, value in options.items() if key not in SHARED}
    if not options["bag"]:
        return build("estimators", settings, n_classes=n_classes, threads=threads, seed=seed)
    member = build("estimators", settings, n_classes=n_classes, threads=1, seed=seed)
    bagging = BaggingClassifier if n_classes else BaggingRegressor
    return bagging(member, n_estimators=options["bag"], n_jobs=threads, random_state=seed)
