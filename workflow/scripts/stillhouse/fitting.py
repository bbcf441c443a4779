"""Models that scikit-learn and its kin fit: one way to fit and to ask for scores, whatever the task."""

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.utils.validation import has_fit_parameter

from stillhouse.columns import LABEL, STOP, WEIGHT, features
from stillhouse.methods import build


class Fitted:
    """An estimator with the names of its features and the number of classes, those that it never saw included."""

    def __init__(self, estimator, names, n_classes):
        self.estimator, self.names, self.n_classes = estimator, names, n_classes

    def predict(self, table):
        """Return scores of prepared rows: probabilities (rows, classes), or values (rows, 1)."""
        X = table[self.names].to_numpy()
        if not self.n_classes:
            return self.estimator.predict(X).reshape(-1, 1)
        scores = np.zeros((len(X), self.n_classes))
        scores[:, self.estimator.classes_.astype(int)] = self.estimator.predict_proba(X)
        return scores


def fit(sample, options, n_classes, threads, seed):
    """Return a model fitted on a sample. Methods that stop early stop by the stop rows; others leave these aside.

    The ledger describes the rows that are no stop rows, so no model may learn from others. Rows of one class alone give a
    model that always says so.
    """
    names = features(sample)
    if n_classes and sample.loc[~sample[STOP], LABEL].nunique() == 1:
        estimator = DummyClassifier(strategy="prior")
    else:
        estimator = estimator_for(options, n_classes, threads, seed)
    stops = has_fit_parameter(estimator, "stop")
    sample = sample if stops else sample[~sample[STOP]]
    extra = {"stop": sample[STOP].to_numpy()} if stops else {}
    labels = sample[LABEL].to_numpy().astype(int if n_classes else float)
    estimator.fit(sample[names].to_numpy(), labels, sample_weight=sample[WEIGHT].to_numpy(), **extra)
    return Fitted(estimator, names, n_classes)


def estimator_for(options, n_classes, threads, seed):
    """Return the estimator of a method, bagged where the options ask for it."""
    settings = {key: value for key, value in options.items() if key != "bag"}
    if not options["bag"]:
        return build("models", settings, n_classes=n_classes, threads=threads, seed=seed)
    member = build("models", settings, n_classes=n_classes, threads=1, seed=seed)
    bagging = BaggingClassifier if n_classes else BaggingRegressor
    return bagging(member, n_estimators=options["bag"], n_jobs=threads, random_state=seed)
