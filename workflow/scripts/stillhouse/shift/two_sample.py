"""Two-sample tests: whether two tables have the same distribution, by a classifier and column by column."""

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp, rankdata
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

MOST_ROWS = 5000


def classifier_test(first, second, permutations, rng):
    """Return the cross-fitted AUC of a linear classifier that tells the tables apart, and its permutation p-value.

    Each permutation shuffles which row belongs to which table, and the classifier is refitted (Lopez-Paz & Oquab 2017). It is
    a ridge regression on membership, so that all permutations are fitted at once. At most 5,000 rows of a table are used.
    """
    first, second = (part[rng.permutation(len(part))[:MOST_ROWS]] for part in (first, second))
    X = StandardScaler().fit_transform(np.vstack([first, second]))
    of_second = np.r_[np.zeros(len(first)), np.ones(len(second))]
    shuffled = np.stack([of_second, *(rng.permutation(of_second) for _ in range(permutations))], axis=1)
    aucs = domain_auc(X, shuffled, int(rng.integers(2**31)))
    return float(aucs[0]), float((1 + (aucs[1:] >= aucs[0]).sum()) / (1 + permutations))


def joint_test(first, second, permutations, rng, further=()):
    """Return a classifier's AUC, and the p-value of it and of every column's Kolmogorov-Smirnov test together.

    The classifier finds differences across columns, the tests those within a column; ``further`` has p-values of further
    columns. The p-values are combined by Bonferroni: over the columns, and over the classifier and the columns.
    """
    auc, p = classifier_test(first, second, permutations, rng) if first.shape[1] else (0.5, 1.0)
    columns = [*(ks_2samp(before, after).pvalue for before, after in zip(first.T, second.T, strict=True)), *further]
    return auc, float(min(1.0, 2 * min(p, len(columns) * min(columns))))


def domain_auc(X, of_second, seed, folds=5, penalty=1.0):
    """Return the domain AUC (of cross-fitted scores) for each column of ``of_second`` (rows, permutations); (permutations,)."""
    A, scores = np.c_[np.ones(len(X)), X], np.empty(of_second.shape)
    for fitted, rated in KFold(folds, shuffle=True, random_state=seed).split(A):
        gram = A[fitted].T @ A[fitted] + penalty * np.eye(A.shape[1])
        scores[rated] = A[rated] @ np.linalg.solve(gram, A[fitted].T @ of_second[fitted])
    n = of_second.sum(axis=0)
    ranks = (rankdata(scores, axis=0) * of_second).sum(axis=0)
    return (ranks - n * (n + 1) / 2) / (n * (len(X) - n))


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
