"""A random forest (Breiman 2001)."""

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor


def make(n_classes, threads, seed, trees, leaf):
    """Return the estimator; its trees do not depend on the number of threads."""
    forest = RandomForestClassifier if n_classes else RandomForestRegressor
    return forest(n_estimators=trees, min_samples_leaf=leaf, n_jobs=threads, random_state=seed)
