"""AdaBoost over small trees (Freund & Schapire 1997; SAMME, Zhu et al. 2009)."""

from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def make(n_classes, threads, seed, rounds, rate, depth):
    """Return the estimator."""
    settings = {"n_estimators": rounds, "learning_rate": rate, "random_state": seed}
    if n_classes:
        return AdaBoostClassifier(DecisionTreeClassifier(max_depth=depth), **settings)
    return AdaBoostRegressor(DecisionTreeRegressor(max_depth=depth), **settings)
