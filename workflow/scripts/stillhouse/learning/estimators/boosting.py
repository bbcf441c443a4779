"""Gradient boosting by LightGBM (Ke et al. 2017), stopped early by the stop rows."""

from typing import NamedTuple

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from stillhouse.columns import one_hot_blocks
from stillhouse.predictions.predictions import with_sorted_quantiles


class Rows(NamedTuple):
    """Features (rows, features), labels and weights of rows."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def part(self, mask):
        """Return some of the rows."""
        return Rows(*(values[mask] for values in self))


# The stop rows that every class needs, or a regression has, to decide when boosting stops.
FEWEST_STOP_ROWS = 10


class Boosting(BaseEstimator):
    """LightGBM under deterministic settings, with as many rounds as the stop rows allow.

    A handful of stop rows of a class would stop it by chance, often at once, and then the model is a constant. So where some
    class has fewer than ten of them, the rounds are the median of those over the training folds, each held out in turn and
    judged with the stop rows. With ``native`` the one-hot columns of a categorical column become one column of codes again,
    which LightGBM splits by sets of categories (Fisher 1958). With ``quantiles`` there are trees of their own for each level,
    which end when the stop rows say so; then ``rounds`` may be a list.
    """

    def __init__(self, rounds, patience, rate, leaves, leaf, native, threads, seed, quantiles=()):
        self.rounds, self.patience, self.rate, self.native = rounds, patience, rate, native
        self.leaves, self.leaf, self.threads, self.seed = leaves, leaf, threads, seed
        self.quantiles = quantiles

    def fit(self, X, y, sample_weight=None, stop=None, names=(), fold=None):
        """Fit on the rows that are not stop rows; without stop rows all rounds are run.

        ``rounds_`` says how many were kept; with quantiles it is a list.

        ``names`` are those of the features; ``fold`` has the fold of each row, copies of a row in one fold.
        """
        self.blocks_ = one_hot_blocks(names) if self.native else []
        rows = Rows(self._with_codes(X), y, np.ones(len(X)) if sample_weight is None else sample_weight)
        stop = np.zeros(len(X), dtype=bool) if stop is None else stop
        folds = np.unique(fold[~stop]) if fold is not None and stop.any() and self._has_few(y[stop], y[~stop]) else []
        levels = [None, *self.quantiles]
        most = self.rounds if isinstance(self.rounds, list) else [self.rounds] * len(levels)
        made = [self._made(rows, stop, fold, folds, *asked) for asked in zip(levels, most, strict=True)]
        (self.booster_, *self.of_quantiles_), rounds = zip(*made, strict=True)
        self.rounds_ = list(rounds) if self.quantiles else rounds[0]
        self.classes_ = getattr(self.booster_, "classes_", None)
        return self

    def chosen(self):
        """Return the settings that the stop rows chose, for a fit on all rows."""
        return {"rounds": self.rounds_}

    def _made(self, rows, stop, fold, folds, level, most):
        """Return the trees of the mean or, with a level, of a quantile, and how many rounds were kept of at most so many."""
        if len(folds) > 1:
            rounds = self._median_rounds(rows, stop, fold, folds, level, most)
            return self._boosted(rows.part(~stop), None, rounds, level), rounds
        booster = self._boosted(rows.part(~stop), rows.part(stop), most, level)
        return booster, self._kept(booster) or most

    def _has_few(self, of_stop, of_fitted):
        counts = [np.sum(of_stop == label) for label in np.unique(of_fitted)] if self._is_classifier else [len(of_stop)]
        return min(counts) < FEWEST_STOP_ROWS

    def _median_rounds(self, rows, stop, fold, folds, level, most):
        best = []
        for number in folds:
            judging = stop | (fold == number)
            if not self._is_classifier or len(np.unique(rows.y[~judging])) == len(np.unique(rows.y[~stop])):
                best.append(self._kept(self._boosted(rows.part(~judging), rows.part(judging), most, level)))
        return max(1, int(np.median(best))) if best else most

    def _boosted(self, rows, stop, rounds, level=None):
        """Return LightGBM's estimator fitted on rows, stopped early by the stop rows, if there are any."""
        stopping = {} if stop is None else self._stopping(*stop, known=np.unique(rows.y))
        return self._estimator(rounds, level).fit(
            rows.X, rows.y, sample_weight=rows.weight, categorical_feature=self._categorical(rows.X), **stopping
        )

    def _categorical(self, X):
        """Return the positions of the columns of codes, which are the last ones."""
        return list(range(X.shape[1] - len(self.blocks_), X.shape[1]))

    def _is_known(self, labels, known):
        """Return a mask of the labels that the fitted rows have too; of values, all of them."""
        return np.isin(labels, known) if self._is_classifier else np.ones(len(labels), dtype=bool)

    def _kept(self, booster):
        """Return how many rounds early stopping kept, or None where nothing stopped them."""
        return booster.best_iteration_

    def predict(self, X):
        """Return classes or values, shape (rows,), or values and their quantiles, shape (rows, 1 + quantiles)."""
        coded = self._with_codes(X)
        if not self.quantiles:
            return self.booster_.predict(coded)
        return with_sorted_quantiles(np.column_stack([one.predict(coded) for one in (self.booster_, *self.of_quantiles_)]))

    def _with_codes(self, X):
        """Return the features with each one-hot block as one column of codes, at the end; code 0 is a block of zeros."""
        if not self.blocks_:
            return X
        codes = [np.where(X[:, own].max(axis=1) > 0, X[:, own].argmax(axis=1) + 1, 0) for own in self.blocks_]
        return np.column_stack([np.delete(X, np.concatenate(self.blocks_), axis=1), *codes])

    def _stopping(self, X, y, weight, known):
        is_known = self._is_known(y, known)
        if not is_known.any():
            return {}
        return {
            "eval_set": [(X[is_known], y[is_known])],
            "eval_sample_weight": [weight[is_known]],
            "callbacks": [lightgbm.early_stopping(self.patience, verbose=False)],
        }

    def _estimator(self, rounds, level):
        estimator = lightgbm.LGBMClassifier if self._is_classifier else lightgbm.LGBMRegressor
        objective = {} if level is None else {"objective": "quantile", "alpha": level}
        return estimator(
            **objective,
            n_estimators=rounds,
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
