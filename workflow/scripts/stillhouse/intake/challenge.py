"""A stress test with known truth: rows of a class removed, deploy rows drawn with a bias, cells removed."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, LABEL, PART, TRUE_RATIO
from stillhouse.errors import UserError, nearest
from stillhouse.intake.kinds import ASIDE, written


def challenged(table, schema, options, rng):
    """Return the damaged table; rows moved to the deploy part keep their label, for ``evaluate`` alone.

    The order is that of real damage: to the population (``thin``), to which of its members are met (``deploy``), to what is
    recorded of them (``gaps``).
    """
    table = thinned(table, schema["classes"], options["thin"], rng)
    if "deploy" in options:
        table = moved_to_deploy(table, options["deploy"], rng)
    names = [column["name"] for column in schema["columns"] if column["kind"] != ASIDE]
    return with_gaps(table, names, options["gaps"], rng)


def thinned(table, classes, keep, rng):
    """Return the table with only a share of the rows of the named classes."""
    for name, share in ((written(name), share) for name, share in keep.items()):
        if name not in (classes or []):
            raise UserError(f"challenge.thin: there is no class {name!r}; {nearest(name, classes or [])}")
        rows = table.index[table[LABEL] == classes.index(name)]
        gone = rng.choice(rows, size=len(rows) - round(share * len(rows)), replace=False)
        table = table.drop(index=gone)
    return table.reset_index(drop=True)


def moved_to_deploy(table, options, rng):
    """Return the table with rows moved to the deploy part by a logistic model of one column, and the true ratio.

    With P(deploy | x) = sigmoid(a + strength * z(x)), p_deploy(x) / p_train(x) is exp(a + strength * z(x)) up to a
    constant; the column ``true_ratio`` has it with mean 1 over the rows that stay.
    """
    if options["column"] not in table:
        raise UserError(
            f"challenge.deploy.column: there is no column {options['column']!r}; {nearest(options['column'], table)}"
        )
    score = standardized(table[options["column"]])
    odds = np.exp(options["strength"] * score)
    chance = odds * _scale_for(odds, options["share"])
    moved = rng.random(len(table)) < chance / (1 + chance)
    ratio = odds / odds[~moved].mean()
    return table.assign(**{PART: np.where(moved, DEPLOY, table[PART]), TRUE_RATIO: ratio})


def standardized(column):
    """Return a numeric column with mean 0 and deviation 1, gaps at 0."""
    values = pd.to_numeric(column, errors="coerce")
    return ((values - values.mean()) / values.std()).fillna(0).to_numpy()


def _scale_for(odds, share):
    """Return the factor that gives the odds a mean probability of ``share``, by bisection."""
    low, high = 1e-12, 1e12
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if (middle * odds / (1 + middle * odds)).mean() < share else (low, middle)
    return middle


def with_gaps(table, columns, options, rng):
    """Return the table with cells removed at random, and with a probability that grows with their value."""
    table = table.copy()
    for name in columns:
        gone = rng.random(len(table)) < options["random"]
        if name in options["by_value"]:
            rank = table[name].rank(pct=True).fillna(0).to_numpy()
            gone |= rng.random(len(table)) < 2 * options["by_value"][name] * rank
        table[name] = table[name].mask(gone)
    if unknown := set(options["by_value"]) - set(columns):
        name = sorted(unknown)[0]
        raise UserError(f"challenge.gaps.by_value: there is no column {name!r}; {nearest(name, columns)}")
    return table
