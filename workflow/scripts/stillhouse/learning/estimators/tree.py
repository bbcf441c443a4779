"""One decision tree (Breiman et al. 1984)."""

from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor


def make(n_classes, threads, seed, depth, leaf):
    """Return the estimator."""
    tree = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    return tree(max_depth=depth, min_samples_leaf=leaf, random_state=seed)
