"""How many rows a regression of two classes takes (Riley et al. 2019, Statistics in Medicine 38:1276).

The criteria are for models with a known number of coefficients; trees and networks need more rows, and never fewer.
"""

from math import exp, log

# Coefficients may be too large by a ninth, R² too large by 5 % of its largest value, and the mean probability off by 5 points.
SHRINKAGE, OPTIMISM, MARGIN, NORMAL = 0.9, 0.05, 0.05, 1.96


def rows_needed(parameters, r2, prevalence):
    """Return the rows that each criterion asks for: little shrinkage, little optimism, a precise mean probability.

    ``r2`` is that of Cox and Snell, 1 - exp(-2 (l0 - l1)) by the mean log losses l0 of the constant model and l1 of the model.
    """
    of_constant = -(prevalence * log(prevalence) + (1 - prevalence) * log(1 - prevalence))
    shrinkage = r2 / (r2 + OPTIMISM * (1 - exp(-2 * of_constant)))
    return {
        "shrinkage": parameters / ((SHRINKAGE - 1) * log(1 - r2 / SHRINKAGE)) if r2 < SHRINKAGE else float("inf"),
        "optimism": parameters / ((shrinkage - 1) * log(1 - r2 / shrinkage)) if r2 < shrinkage else float("inf"),
        "mean": (NORMAL / MARGIN) ** 2 * prevalence * (1 - prevalence),
    }


def explained(log_loss, of_constant):
    """Return the R² of Cox and Snell by mean log losses."""
    return 1 - exp(-2 * (of_constant - log_loss))
