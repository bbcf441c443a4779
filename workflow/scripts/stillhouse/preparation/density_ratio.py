"""Cross-fitted density ratios p_deploy(x) / p_train(x)."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LARGEST_LOG_RATIO = 50.0
# The least value whose logarithm kernel estimators take for a ratio.
SMALLEST_RATIO = 1e-6


class CrossFitted:
    """A ratio estimator that is cross-fitted, chosen among several settings, and calibrated.

    ``candidates`` are functions that return an estimator with ``fit(train, deploy)`` and ``log_ratio(X)``. On its own training
    rows an estimator overstates the difference of the parts, so ``ratio_`` has each training row's ratio by an estimator that
    did not see the row; other rows get the mean log ratio of all estimators. The candidate is chosen whose cross-fitted ratios
    tell deploy from training rows with the least log loss, which the true ratio minimises. The log ratios are then calibrated
    by the line that minimises this loss (Platt 1999), which moderates estimators that overstate differences.
    """

    def __init__(self, candidates, folds, seed):
        self.candidates, self.folds, self.seed = candidates, folds, seed

    def fit(self, train, deploy):
        """Fit on features of shapes (n_train, p) and (n_deploy, p); gaps are allowed."""
        self.clean_ = make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler())
        X = self.clean_.fit_transform(np.vstack([train, deploy]))
        self.is_deploy_ = np.r_[np.zeros(len(train)), np.ones(len(deploy))].astype(bool)
        self.odds_ = np.log(len(deploy) / len(train))
        fits = [self._cross_fit(X, candidate) for candidate in self.candidates]
        self.estimators_, scores = min(fits, key=lambda fit: self._loss(fit[1]))
        self.slope_, self.shift_ = self._calibration(scores)
        self.scores_ = self._calibrated(scores)
        self.ratio_ = np.exp(self.scores_[~self.is_deploy_])
        self.auc_ = float(roc_auc_score(self.is_deploy_, self.scores_))
        return self

    def predict(self, X):
        """Return the ratios of rows that no estimator saw; shape (rows,)."""
        logs = [bounded_logs(estimator.log_ratio(self.clean_.transform(X))) for estimator in self.estimators_]
        return np.exp(self._calibrated(np.mean(logs, axis=0)))

    def _cross_fit(self, X, candidate):
        estimators, unseen = [], np.empty(len(X))
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        for fitted, rated in folds.split(X, self.is_deploy_):
            parts = X[fitted][~self.is_deploy_[fitted]], X[fitted][self.is_deploy_[fitted]]
            estimators.append(candidate().fit(*parts))
            unseen[rated] = bounded_logs(estimators[-1].log_ratio(X[rated]))
        return estimators, unseen

    def _loss(self, log_ratio):
        return log_loss(self.is_deploy_, expit(log_ratio + self.odds_))

    def _calibration(self, log_ratio):
        def loss(line):
            return self._loss(line[0] * log_ratio + line[1])

        return minimize(loss, [1.0, 0.0], method="L-BFGS-B", bounds=[(0, None), (None, None)]).x

    def _calibrated(self, log_ratio):
        return bounded_logs(self.slope_ * log_ratio + self.shift_)


def bounded_logs(log_ratio):
    """Return log ratios within ±50, so that their exponentials are positive and finite."""
    return np.clip(log_ratio, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)


class ClassifierRatio:
    """The ratio from a classifier: (n_train / n_deploy) times the odds that x is a deploy row (Bickel et al. 2009, eq. 6)."""

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, train, deploy):
        """Fit the classifier to tell deploy rows from training rows."""
        self.offset_ = np.log(len(train) / len(deploy))
        self.classifier.fit(np.vstack([train, deploy]), np.r_[np.zeros(len(train)), np.ones(len(deploy))])
        return self

    def log_ratio(self, X):
        """Return log ratios; shape (rows,)."""
        p = np.clip(self.classifier.predict_proba(X)[:, 1], 1e-9, 1 - 1e-9)
        return np.log(p / (1 - p)) + self.offset_


class Kernels:
    """Gaussian kernels around deploy rows; ``width`` is in units of the median distance between deploy rows."""

    def __init__(self, deploy, width, most, rng):
        self.centres = deploy[rng.permutation(len(deploy))[:most]]
        distances = squared_distances(self.centres, self.centres)
        self.scale = 2 * width**2 * max(np.median(distances[distances > 0]) if (distances > 0).any() else 1.0, 1e-12)

    def __call__(self, X):
        """Return the kernels' values; shape (rows, centres)."""
        return self.between(X, self.centres)

    def between(self, A, B):
        """Return the kernel between each row of A and each row of B; shape (rows of A, rows of B)."""
        return np.exp(-squared_distances(A, B) / self.scale)


def squared_distances(A, B):
    """Return squared Euclidean distances; shape (rows of A, rows of B)."""
    return np.maximum((A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2 * A @ B.T, 0)
