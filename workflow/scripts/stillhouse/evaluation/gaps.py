"""Gaps that tell of the label: columns whose share of gaps differs between the classes."""

import numpy as np
from scipy.special import chdtrc

from stillhouse.columns import GROUP, LABEL, LABELLED, PART
from stillhouse.shift.adjusted import holm

# The level of the test, and the least difference of shares that is worth a word.
SIGNIFICANT, LEAST = 0.05, 0.05


def gaps_by_class(table, names, classes):
    """Return for each column whose gaps depend on the class the share of gaps in each class, the largest difference first.

    By Pearson's chi-squared test, adjusted for the number of columns with gaps (Holm 1979), and if shares differ by at least
    ``LEAST``. None where rows belong to groups, whose rows have their gaps together.
    """
    if GROUP in table:
        return {}
    known = table[table[PART].isin(LABELLED) & table[LABEL].notna()]
    labels = known[LABEL].to_numpy(int)
    found = {name: is_gap for name in names if 0 < (is_gap := known[name].isna().to_numpy()).sum() < len(known)}
    if not found:
        return {}
    tables = {
        name: np.bincount(2 * labels + is_gap, minlength=2 * len(classes)).reshape(-1, 2) for name, is_gap in found.items()
    }
    p = holm([independence_p(counts) for counts in tables.values()])
    shares = {
        name: {one: float(gaps / (rows + gaps)) for one, (rows, gaps) in zip(classes, counts, strict=True) if rows + gaps}
        for (name, counts), adjusted in zip(tables.items(), p, strict=True)
        if adjusted < SIGNIFICANT
    }
    spread = {name: max(one.values()) - min(one.values()) for name, one in shares.items()}
    return {name: shares[name] for name in sorted(shares, key=lambda name: -spread[name]) if spread[name] >= LEAST}


def independence_p(counts):
    """Return the p-value of Pearson's chi-squared test of a table of counts; empty lines do not count."""
    counts = counts[counts.sum(axis=1) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return float(chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum())) if len(counts) > 1 else 1.0
