"""Chained equations: each column's gaps by a ridge regression on the others, in rounds."""

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (unlocks the import below)
from sklearn.impute import IterativeImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# The ridge regressions stop after a stated number of rounds by design.
warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.impute")


def make(rounds):
    """Return a transformer that fills gaps and scales (van Buuren & Groothuis-Oudshoorn 2011)."""
    imputer = IterativeImputer(max_iter=rounds, random_state=0, keep_empty_features=True)
    return make_pipeline(StandardScaler(), imputer)
