"""The density ratio from a logistic regression that tells deploy rows from training rows."""

from functools import partial

from sklearn.linear_model import LogisticRegression

from stillhouse.preparation.density_ratio import ClassifierRatio


def make(seed, penalties):
    """Return candidates; the L2 penalty is chosen among ``penalties``."""
    return [partial(_logistic_ratio, penalty) for penalty in penalties]


def _logistic_ratio(penalty):
    return ClassifierRatio(LogisticRegression(C=1 / penalty, max_iter=1000))
