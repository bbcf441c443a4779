"""Extremely randomised trees (Geurts, Ernst & Wehenkel 2006)."""

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from stillhouse.learning.estimators.forest import share_of_features


def make(n_classes, threads, seed, trees, leaf, features):
    """Return the estimator; its trees do not depend on the number of threads."""
    forest = ExtraTreesClassifier if n_classes else ExtraTreesRegressor
    share = share_of_features(features, n_classes)
    return forest(n_estimators=trees, min_samples_leaf=leaf, max_features=share, n_jobs=threads, random_state=seed)
