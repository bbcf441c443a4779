"""Extremely randomised trees (Geurts, Ernst & Wehenkel 2006)."""

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor


def make(n_classes, threads, seed, trees, leaf):
    """Return the estimator; its trees do not depend on the number of threads."""
    forest = ExtraTreesClassifier if n_classes else ExtraTreesRegressor
    return forest(n_estimators=trees, min_samples_leaf=leaf, n_jobs=threads, random_state=seed)
