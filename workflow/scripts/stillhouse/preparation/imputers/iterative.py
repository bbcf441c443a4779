"""Chained equations: each column's gaps by a Bayesian ridge regression on the others, in rounds."""

import warnings

import numpy as np
from scipy.special import ndtri
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (unlocks the import below)
from sklearn.impute import IterativeImputer

from stillhouse.preparation.imputing import NumericImputer
from stillhouse.seeds import uniforms

# The regressions stop after a stated number of rounds by design.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.impute")


class Drawn(NumericImputer):
    """Gaps are draws from the regressions' predictive distributions, for multiple imputation (Rubin 1987)."""

    def __init__(self, imputer, seed):
        super().__init__(imputer, scaled=True)
        self.seed = seed

    def filled(self, X, rows):
        """Return numbers without gaps; a row's draws depend on its own number and on no other row."""
        filled, steps = self.imputer.initial_imputer_.transform(X), self.imputer.imputation_sequence_
        noise = ndtri(uniforms(self.seed, rows, len(steps)))
        for step, (target, others, regression) in enumerate(steps):
            gap = np.isnan(X[:, target])
            if gap.any():
                mean, deviation = regression.predict(filled[gap][:, others], return_std=True)
                filled[gap, target] = mean + deviation * noise[gap, step]
        return filled


def make(seed, rounds, draw):
    """Return the imputer (van Buuren & Groothuis-Oudshoorn 2011); it fills with means, or with draws."""
    settings = {"max_iter": rounds, "random_state": seed, "keep_empty_features": True}
    if draw:
        return Drawn(IterativeImputer(sample_posterior=True, **settings), seed)
    return NumericImputer(IterativeImputer(**settings), scaled=True)
