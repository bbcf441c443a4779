"""The density ratio from a logistic regression that tells deploy rows from training rows."""

import numpy as np
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class LogisticRatio:
    """p_deploy(x) / p_train(x) = (n_train / n_deploy) * odds that x is a deploy row (Bickel et al. 2009, eq. 6).

    ``ratio_`` has the training rows' ratios, each by a regression that did not see the row: rated on its own rows,
    a classifier finds differences that are not there. Other rows take the mean log ratio of the regressions. Of
    several penalties the one whose unseen ratings have the least log loss is taken.
    """

    def __init__(self, folds, penalties, quantile, seed):
        self.folds, self.penalties, self.quantile, self.seed = folds, penalties, quantile, seed

    def fit(self, train, deploy):
        """Fit on features of shapes (n_train, p) and (n_deploy, p)."""
        X = np.vstack([train, deploy])
        is_deploy = np.r_[np.zeros(len(train)), np.ones(len(deploy))]
        self.offset_ = np.log(len(train) / len(deploy))
        fits = [self._cross_fit(X, is_deploy, penalty) for penalty in self.penalties]
        self.regressions_, unseen = min(fits, key=lambda fit: log_loss(is_deploy, expit(fit[1])))
        self.scores_, self.is_deploy_ = unseen, is_deploy
        ratio = np.exp(unseen[: len(train)] + self.offset_)
        self.most_ = np.quantile(ratio, self.quantile)
        self.ratio_ = np.minimum(ratio, self.most_)
        return self

    def predict(self, X):
        """Return the ratios of rows that the regressions did not see, cut like the others; shape (rows,)."""
        scores = np.mean([regression.decision_function(X) for regression in self.regressions_], axis=0)
        return np.minimum(np.exp(scores + self.offset_), self.most_)

    def _cross_fit(self, X, is_deploy, penalty):
        regressions, unseen = [], np.empty(len(X))
        for fitted, rated in StratifiedKFold(self.folds, shuffle=True, random_state=self.seed).split(X, is_deploy):
            regressions.append(regression(penalty).fit(X[fitted], is_deploy[fitted]))
            unseen[rated] = regressions[-1].decision_function(X[rated])
        return regressions, unseen


def regression(penalty):
    """Return a logistic regression that takes gaps, their being there as a feature."""
    return make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=1 / penalty, max_iter=1000),
    )


def make(seed, **options):
    """Return the weigher; the cut is at a quantile of the training rows' ratios."""
    return LogisticRatio(seed=seed, **options)
