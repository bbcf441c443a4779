"""Models that scikit-learn and its kin fit: one way to fit and to ask for scores, whatever the task."""

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.utils.validation import has_fit_parameter

from stillhouse.columns import CHOICE, LABEL, PHASE, STOP, WEIGHT, features
from stillhouse.config.models import TAUGHT
from stillhouse.distillation.soft_targets import best, candidates, targets
from stillhouse.ensembles.adaboost import boosted
from stillhouse.ensembles.out_of_bag import out_of_bag
from stillhouse.methods import build
from stillhouse.seeds import derive

# A share of a class below this is left out of a student's rows, or each row would come once for every class.
LEAST_SHARE = 1e-3


class Fitted:
    """An estimator with the names of its features and the number of classes, those that it never saw included."""

    def __init__(self, estimator, names, n_classes):
        self.estimator, self.names, self.n_classes = estimator, names, n_classes

    def predict(self, table):
        """Return scores of prepared rows: probabilities (rows, classes), or values (rows, 1)."""
        X = table[self.names].to_numpy()
        if not self.n_classes:
            return self.estimator.predict(X).reshape(-1, 1)
        return placed(self.estimator.predict_proba(X), self.estimator.classes_, self.n_classes)


def fit(sample, options, n_classes, threads, seed):
    """Return a model fitted on a sample. Methods that stop early stop by the stop rows; others leave these aside.

    The ledger describes the rows that are no stop rows, so no model may learn from others. Rows of one class alone give a
    model that always says so.
    """
    if options["boost"]:
        return boosted_models(sample, options, n_classes, threads, seed)
    names = features(sample)
    if n_classes and sample.loc[~sample[STOP], LABEL].nunique() == 1:
        estimator = DummyClassifier(strategy="prior")
    else:
        estimator = estimator_for(options, n_classes, threads, seed)
    stops = has_fit_parameter(estimator, "stop")
    sample = sample if stops else sample[~sample[STOP]]
    extra = {"stop": sample[STOP].to_numpy()} if stops else {}
    if has_fit_parameter(estimator, "names"):
        extra["names"] = names
    labels = sample[LABEL].to_numpy().astype(int if n_classes else float)
    estimator.fit(sample[names].to_numpy(), labels, sample_weight=sample[WEIGHT].to_numpy(), **extra)
    return Fitted(estimator, names, n_classes)


def boosted_models(sample, options, n_classes, threads, seed):
    """Return models that are fitted one after the other, the later ones on what the earlier ones get wrong."""
    settings = {**options, "boost": 0}

    def fit_all(places, samples, number):
        return [fit(own, settings, n_classes, threads, derive(seed, "round", number)) for own in samples]

    return boosted([sample], fit_all, options["boost"], options["vote_rate"], n_classes)[0]


def history_of(model, sample, n_classes):
    """Return what the members of a bag say of rows that they did not draw, as a history; empty without such."""
    fitted = sample[~sample[STOP]]
    said = drawn_out(model, fitted, n_classes)
    return pd.DataFrame() if said is None else out_of_bag(*said, fitted, n_classes)


def drawn_out(model, fitted, n_classes):
    """Return what each member says of the fitted rows, and which rows it had drawn; None for what is no bag."""
    estimator = getattr(model, "estimator", None)
    if not hasattr(estimator, "estimators_samples_"):
        return None
    X = fitted[model.names].to_numpy()
    drawn = np.stack([np.bincount(rows, minlength=len(X)) > 0 for rows in estimator.estimators_samples_])
    if drawn.all():
        return None
    places = getattr(estimator, "classes_", None)
    said = [member_scores(part, X, places, n_classes) for part in estimator.estimators_]
    return said, drawn


def member_scores(part, X, known, n_classes):
    """Return what a member of a bag predicts; members know classes by their place in the whole."""
    if not n_classes:
        return part.predict(X).reshape(-1, 1)
    return placed(part.predict_proba(X), known[np.asarray(part.classes_).astype(int)], n_classes)


def placed(p, known, n_classes):
    """Return probabilities of known classes at the places of these among all; shape (rows, classes)."""
    scores = np.zeros((len(p), n_classes))
    scores[:, np.asarray(known).astype(int)] = p
    return scores


def fit_student(sample, soft, options, n_classes, threads, seed):
    """Return a model fitted on labels and soft targets, and a history of what was chosen, without rows where nothing was.

    Cross-entropy with soft labels is that of rows which come once for each class, weighted by its share; the squared error
    with two targets is that with their weighted mean, but for a constant.
    """
    settings = {key: value for key, value in options.items() if key not in TAUGHT}
    pairs, stop = candidates(options), sample[sample[STOP]]
    models = [fit(with_shares(sample, soft, alpha, n_classes), settings, n_classes, threads, seed) for _, alpha in pairs]
    place, table = best(pairs, models, stop, n_classes) if len(pairs) > 1 else (0, None)
    history = pd.DataFrame() if table is None else table.assign(**{PHASE: CHOICE})
    return models[place], history


def with_shares(sample, soft, alpha, n_classes):
    """Return a sample with targets in place of labels: ``alpha`` of the label, the rest the teacher's; stop rows stay.

    Rows of which no teacher says anything go by their label, rows without a label by the teacher.
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
    """Return the estimator of a method, bagged where the options ask for it."""
    settings = {key: value for key, value in options.items() if key not in ("bag", "boost", "vote_rate")}
    if not options["bag"]:
        return build("estimators", settings, n_classes=n_classes, threads=threads, seed=seed)
    member = build("estimators", settings, n_classes=n_classes, threads=1, seed=seed)
    bagging = BaggingClassifier if n_classes else BaggingRegressor
    return bagging(member, n_estimators=options["bag"], n_jobs=threads, random_state=seed)
