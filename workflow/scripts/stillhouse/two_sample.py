"""Do two tables hold rows of the same kind: tests by a classifier, and column by column."""

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

MOST_ROWS = 1500


def classifier_test(first, second, permutations, rng):
    """Return the cross-fitted AUC of a classifier that tells the tables apart, and its permutation p-value.

    Each permutation shuffles which row belongs to which table and fits anew (Lopez-Paz & Oquab 2017). At most 1,500 rows
    of a table are used.
    """
    first, second = (part[rng.permutation(len(part))[:MOST_ROWS]] for part in (first, second))
    X = StandardScaler().fit_transform(np.vstack([first, second]))
    of_second = np.r_[np.zeros(len(first), dtype=int), np.ones(len(second), dtype=int)]
    seed = int(rng.integers(2**31))
    found = told_apart(X, of_second, seed)
    shuffled = [told_apart(X, rng.permutation(of_second), seed) for _ in range(permutations)]
    return found, float((1 + np.sum(np.array(shuffled) >= found)) / (1 + permutations))


def told_apart(X, of_second, seed, folds=3):
    """Return the AUC of cross-fitted scores."""
    scores = np.empty(len(X))
    for fitted, rated in StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, of_second):
        model = LogisticRegression(C=0.1, max_iter=200).fit(X[fitted], of_second[fitted])
        scores[rated] = model.predict_proba(X[rated])[:, 1]
    return float(roc_auc_score(of_second, scores))


def column_test(before, after, is_categorical):
    """Return a column's distance between tables (0 to 1) and p-value: Kolmogorov-Smirnov, or chi-squared on categories.

    The distance of categories is the total variation.
    """
    before, after = before.dropna(), after.dropna()
    if not len(before) or not len(after):
        return 0.0, 1.0
    if not is_categorical:
        found = ks_2samp(before, after)
        return float(found.statistic), float(found.pvalue)
    counts = np.stack([part.value_counts().reindex(sorted({*before, *after}), fill_value=0) for part in (before, after)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    p = chi2_contingency(counts).pvalue if counts.shape[1] > 1 else 1.0
    return float(np.abs(shares[0] - shares[1]).sum() / 2), float(p)


def holm(p):
    """Return p-values adjusted for how many there are (Holm 1979), in the order given."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1)
    return result
