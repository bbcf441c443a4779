"""Two-sample tests: whether two tables have the same distribution, by a classifier and column by column.

Rows of one group, such as the visits of a patient, are no independent draws. Where there are groups, whole groups change sides
in the permutations that p-values come from.
"""

from math import comb

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp, rankdata
from sklearn.preprocessing import StandardScaler

MOST_ROWS = 5000
PERMUTATIONS = 400
# Categories are compared by chi-squared, which needs this many rows of each category to be expected in either table.
LEAST_EXPECTED = 5
# Ways to allot groups to two sides below which permutations of groups cannot show a difference.
FEWEST_ALLOTMENTS = 200


class Sides:
    """Which rows are of the second table, and permutations of it by rows or, with ``units``, by whole units.

    ``units`` has the number of each row's group, shape (rows,), or is None.
    """

    def __init__(self, of_second, units=None):
        self.of_second, self.units = np.asarray(of_second, dtype=bool), units
        if units is not None:
            # A group with rows on both sides is two units.
            self.units = np.unique(np.c_[units, self.of_second], axis=0, return_inverse=True)[1].ravel()

    @property
    def are_too_few(self):
        """Whether there are groups, but so few that all ways to allot them could not show a difference."""
        if self.units is None:
            return False
        return comb(self.units.max() + 1, len(np.unique(self.units[self.of_second]))) < FEWEST_ALLOTMENTS

    def by_rows(self):
        """Return the same sides without groups."""
        return Sides(self.of_second)

    def part(self, rows):
        """Return the sides of some rows, given by positions or a mask."""
        part = self.by_rows()
        part.of_second, part.units = self.of_second[rows], None if self.units is None else self.units[rows]
        return part

    def shuffled(self, count, rng):
        """Return the sides as they are, and ``count`` permutations of them; shape (rows, 1 + count)."""
        if self.units is None:
            drawn = [rng.permutation(self.of_second) for _ in range(count)]
        else:
            of_units = np.zeros(int(self.units.max()) + 1, dtype=bool)
            of_units[self.units[self.of_second]] = True
            drawn = [rng.permutation(of_units)[self.units] for _ in range(count)]
        return np.stack([self.of_second, *drawn], axis=1).astype(float)

    def fold_numbers(self, count, rng):
        """Return a fold for each row, those of a unit together; shape (rows,)."""
        units = np.arange(len(self.of_second)) if self.units is None else self.units
        return (rng.permutation(int(units.max()) + 1) % count)[units]


def classifier_test(X, sides, rng, permutations=PERMUTATIONS):
    """Return the cross-fitted AUC of a linear classifier that tells two tables apart, and its permutation p-value.

    ``X`` has the rows of both, shape (rows, features). Each permutation shuffles which row or group belongs to which table, and
    the classifier is refitted (Lopez-Paz & Oquab 2017). It is a ridge regression on membership, so that all permutations are
    fitted at once. At most 5,000 rows of a table are used.
    """
    kept = np.sort(
        np.concatenate([rng.permutation(np.flatnonzero(sides.of_second == side))[:MOST_ROWS] for side in (False, True)])
    )
    sides, X = sides.part(kept), StandardScaler().fit_transform(X[kept])
    aucs = domain_auc(X, sides.shuffled(permutations, rng), sides.fold_numbers(5, rng))
    return float(aucs[0]), permutation_p(aucs)


def joint_test(X, sides, rng, categorical=None):
    """Return a classifier's AUC, and the p-value of it and of every column's own test together.

    The classifier finds differences across columns, the tests those within a column; ``categorical`` has further columns, of
    categories. The p-values are combined by Bonferroni: over the columns, and over the classifier and the columns.
    """
    categorical = pd.DataFrame(index=range(len(X))) if categorical is None else categorical
    auc, p = classifier_test(X, sides, rng) if X.shape[1] else (0.5, 1.0)
    if sides.units is None:
        columns = [ks_2samp(column[~sides.of_second], column[sides.of_second]).pvalue for column in X.T]
        columns += [column_test(categorical[name], sides, rng, is_categorical=True)[1] for name in categorical]
        of_columns = len(columns) * min(columns)
    else:
        numbers = np.column_stack([X, *(indicators(categorical[name]) for name in categorical)])
        of_columns = permutation_p(largest_distances(numbers, sides.shuffled(PERMUTATIONS, rng)))
    return auc, float(min(1.0, 2 * min(p, of_columns)))


def domain_auc(X, of_second, fold, penalty=1.0):
    """Return the domain AUC (of cross-fitted scores) for each column of ``of_second`` (rows, permutations); (permutations,)."""
    A, scores = np.c_[np.ones(len(X)), X], np.empty(of_second.shape)
    for number in np.unique(fold):
        fitted, rated = fold != number, fold == number
        gram = A[fitted].T @ A[fitted] + penalty * np.eye(A.shape[1])
        scores[rated] = A[rated] @ np.linalg.solve(gram, A[fitted].T @ of_second[fitted])
    n = of_second.sum(axis=0)
    ranks = (rankdata(scores, axis=0) * of_second).sum(axis=0)
    return (ranks - n * (n + 1) / 2) / (n * (len(X) - n))


def permutation_p(statistics):
    """Return the share of statistics that are at least the first, which is that of the sides as they are."""
    return float((statistics >= statistics[0] - 1e-12).mean())


def largest_distances(X, of_second):
    """Return for each permutation the largest Kolmogorov-Smirnov distance over columns; of_second: (rows, permutations).

    Distances are in units of their usual size for so many rows.
    """
    n = of_second.sum(axis=0)
    step = of_second / n - (1 - of_second) / (len(X) - n)
    largest = np.zeros(of_second.shape[1])
    for column in X.T:
        order = np.argsort(column, kind="stable")
        ends = np.r_[np.diff(column[order]) > 0, False]
        sums = np.cumsum(step[order], axis=0)[ends]
        largest = np.maximum(largest, np.abs(sums).max(axis=0, initial=0))
    return largest / np.sqrt(1 / n + 1 / (len(X) - n))


def indicators(column):
    """Return an indicator of each category that enough rows have, gaps left out; shape (rows, categories)."""
    counts = column.value_counts()
    kept = counts.index[counts >= 2 * LEAST_EXPECTED]
    return (column.to_numpy()[:, None] == np.asarray(kept, dtype=object)[None, :]).astype(float)


def column_test(column, sides, rng, is_categorical):
    """Return a column's distance between tables (0 to 1) and p-value: Kolmogorov-Smirnov, or chi-squared on categories.

    The distance of categories is the total variation. With groups, p-values are by permutation of groups.
    """
    known = column.notna().to_numpy()
    column, sides = column[known].reset_index(drop=True), sides.part(known)
    before, after = column[~sides.of_second], column[sides.of_second]
    if not len(before) or not len(after):
        return 0.0, 1.0
    distance, p = categories_test(before, after) if is_categorical else ks_2samp(before, after)[:2]
    if sides.units is not None:
        numbers = indicators(column) if is_categorical else column.to_numpy("float64")[:, None]
        p = permutation_p(largest_distances(numbers, sides.shuffled(PERMUTATIONS, rng)))
    return float(distance), float(p)


def categories_test(before, after):
    """Return the total variation of categories between tables, and the p-value by chi-squared.

    Categories of which fewer than five rows are expected in either table are tested as one, as chi-squared would take many
    rare ones for a difference.
    """
    counts = np.stack([part.value_counts().reindex(sorted({*before, *after}), fill_value=0) for part in (before, after)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    expected = counts.sum(axis=0) * counts.sum(axis=1).min() / counts.sum()
    pooled = np.c_[counts[:, expected >= LEAST_EXPECTED], counts[:, expected < LEAST_EXPECTED].sum(axis=1)]
    pooled = pooled[:, pooled.any(axis=0)]
    p = chi2_contingency(pooled).pvalue if pooled.shape[1] > 1 else 1.0
    return float(np.abs(shares[0] - shares[1]).sum() / 2), float(p)
