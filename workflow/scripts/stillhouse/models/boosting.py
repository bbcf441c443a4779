"""Gradient boosting by LightGBM (Ke et al. 2017), stopped early by the stop rows."""

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class Boosting(BaseEstimator):
    """LightGBM under deterministic settings, with as many rounds as the stop rows allow."""

    def __init__(self, rounds, patience, rate, leaves, leaf, threads, seed):
        self.rounds, self.patience, self.rate = rounds, patience, rate
        self.leaves, self.leaf, self.threads, self.seed = leaves, leaf, threads, seed

    def fit(self, X, y, sample_weight=None, stop=None):
        """Fit on the rows that are no stop rows; without stop rows every round is run."""
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        stop = np.zeros(len(X), dtype=bool) if stop is None else stop
        self.booster_ = self._estimator().fit(
            X[~stop],
            y[~stop],
            sample_weight=weight[~stop],
            **self._stopping(X[stop], y[stop], weight[stop], known=np.unique(y[~stop])),
        )
        self.classes_ = getattr(self.booster_, "classes_", None)
        return self

    def predict(self, X):
        """Return classes or values; shape (rows,)."""
        return self.booster_.predict(X)

    def _stopping(self, X, y, weight, known):
        is_known = np.isin(y, known) if self._is_classifier else np.ones(len(y), dtype=bool)
        if not is_known.any():
            return {}
        return {
            "eval_set": [(X[is_known], y[is_known])],
            "eval_sample_weight": [weight[is_known]],
            "callbacks": [lightgbm.early_stopping(self.patience, verbose=False)],
        }

    def _estimator(self):
        estimator = lightgbm.LGBMClassifier if self._is_classifier else lightgbm.LGBMRegressor
        return estimator(
            n_estimators=self.rounds,
            learning_rate=self.rate,
            num_leaves=self.leaves,
            min_child_samples=self.leaf,
            n_jobs=self.threads,
            random_state=self.seed,
            deterministic=True,
            force_row_wise=True,
            verbose=-1,
        )


class BoostingClassifier(ClassifierMixin, Boosting):
    """Boosting of classes."""

    _is_classifier = True

    def predict_proba(self, X):
        """Return probabilities; shape (rows, classes)."""
        return self.booster_.predict_proba(X)


class BoostingRegressor(RegressorMixin, Boosting):
    """Boosting of values."""

    _is_classifier = False


def make(n_classes, threads, seed, **options):
    """Return the estimator."""
    boosting = BoostingClassifier if n_classes else BoostingRegressor
    return boosting(threads=threads, seed=seed, **options)
