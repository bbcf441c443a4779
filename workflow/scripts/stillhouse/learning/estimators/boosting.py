"""Gradient boosting by LightGBM (Ke et al. 2017), stopped early by the stop rows."""

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from stillhouse.columns import one_hot_blocks


class Boosting(BaseEstimator):
    """LightGBM under deterministic settings, with as many rounds as the stop rows allow.

    With ``native`` the one-hot columns of a categorical column become one column of codes again, which LightGBM splits by sets
    of categories (Fisher 1958).
    """

    def __init__(self, rounds, patience, rate, leaves, leaf, native, threads, seed):
        self.rounds, self.patience, self.rate, self.native = rounds, patience, rate, native
        self.leaves, self.leaf, self.threads, self.seed = leaves, leaf, threads, seed

    def fit(self, X, y, sample_weight=None, stop=None, names=()):
        """Fit on the rows that are not stop rows; without stop rows all rounds are run. ``names`` are those of the features."""
        self.blocks_ = one_hot_blocks(names) if self.native else []
        X = self._with_codes(X)
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        stop = np.zeros(len(X), dtype=bool) if stop is None else stop
        self.booster_ = self._estimator().fit(
            X[~stop],
            y[~stop],
            sample_weight=weight[~stop],
            categorical_feature=list(range(X.shape[1] - len(self.blocks_), X.shape[1])),
            **self._stopping(X[stop], y[stop], weight[stop], known=np.unique(y[~stop])),
        )
        self.classes_ = getattr(self.booster_, "classes_", None)
        return self

    def predict(self, X):
        """Return classes or values; shape (rows,)."""
        return self.booster_.predict(self._with_codes(X))

    def _with_codes(self, X):
        """Return the features with each one-hot block as one column of codes, at the end; code 0 is a block of zeros."""
        if not self.blocks_:
            return X
        codes = [np.where(X[:, own].max(axis=1) > 0, X[:, own].argmax(axis=1) + 1, 0) for own in self.blocks_]
        return np.column_stack([np.delete(X, np.concatenate(self.blocks_), axis=1), *codes])

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
    """Gradient boosting of classes."""

    _is_classifier = True

    def predict_proba(self, X):
        """Return probabilities; shape (rows, classes)."""
        return self.booster_.predict_proba(self._with_codes(X))


class BoostingRegressor(RegressorMixin, Boosting):
    """Gradient boosting of values."""

    _is_classifier = False


def make(n_classes, threads, seed, **options):
    """Return the estimator."""
    boosting = BoostingClassifier if n_classes else BoostingRegressor
    return boosting(threads=threads, seed=seed, **options)
