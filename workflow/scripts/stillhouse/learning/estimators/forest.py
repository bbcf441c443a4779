"""A random forest (Breiman 2001)."""

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from stillhouse.config.models import AUTO


def make(n_classes, threads, seed, trees, leaf, features):
    """Return the estimator; its trees do not depend on the number of threads."""
    forest = RandomForestClassifier if n_classes else RandomForestRegressor
    share = share_of_features(features, n_classes)
    return forest(n_estimators=trees, min_samples_leaf=leaf, max_features=share, n_jobs=threads, random_state=seed)


def share_of_features(features, n_classes):
    """Return among which features a split is chosen; all of them, as scikit-learn takes for values, is slower and no better."""
    usual = "sqrt" if n_classes else 0.5
    return usual if features == AUTO else float(features)
