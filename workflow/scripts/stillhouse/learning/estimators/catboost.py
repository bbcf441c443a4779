"""Gradient boosting by CatBoost (Prokhorenkova et al. 2018), stopped early by the stop rows. Needs the library catboost."""

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin

from stillhouse.errors import UserError
from stillhouse.learning.estimators.boosting import Boosting


class CatBoost(Boosting):
    """CatBoost with as many rounds as the stop rows allow, chosen as those of ``Boosting``.

    With ``native`` a categorical column is one column of codes again, which CatBoost replaces by means of the target over
    earlier rows of a random order.
    """

    def __init__(self, rounds, patience, rate, depth, penalty, native, threads, seed):
        self.rounds, self.patience, self.rate, self.native = rounds, patience, rate, native
        self.depth, self.penalty, self.threads, self.seed = depth, penalty, threads, seed
        self.quantiles = ()

    def _boosted(self, rows, stop, rounds, level=None):
        booster, of_stop = self._estimator(rounds), None
        if stop is not None:
            is_known = self._is_known(stop.y, rows.y)
            of_stop = self._pool(stop.part(is_known)) if is_known.any() else None
        stopping = {} if of_stop is None else {"eval_set": of_stop, "early_stopping_rounds": self.patience}
        try:
            return booster.fit(self._pool(rows), **stopping)
        except library().CatBoostError as error:
            raise UserError(f"catboost: {error}") from error

    def _pool(self, rows):
        return library().Pool(self._frame(rows.X), rows.y, cat_features=self._categorical(rows.X), weight=rows.weight)

    def _frame(self, X):
        """Return features of which the last are codes as a table with whole numbers there; without such, as they are."""
        if not self.blocks_:
            return X
        table = pd.DataFrame(X)
        return table.astype(dict.fromkeys(self._categorical(X), "int64"))

    def _kept(self, booster):
        return booster.tree_count_ if booster.best_iteration_ is not None else None

    def _estimator(self, rounds):
        estimator = library().CatBoostClassifier if self._is_classifier else library().CatBoostRegressor
        return estimator(
            iterations=rounds,
            learning_rate=self.rate,
            depth=self.depth,
            l2_leaf_reg=self.penalty,
            thread_count=self.threads,
            random_seed=self.seed,
            allow_writing_files=False,
            verbose=False,
        )

    def predict(self, X):
        """Return classes or values; shape (rows,)."""
        return np.ravel(self.booster_.predict(self._frame(self._with_codes(X)), thread_count=1))


class CatBoostingClassifier(ClassifierMixin, CatBoost):
    """CatBoost of classes."""

    _is_classifier = True

    def predict_proba(self, X):
        """Return probabilities; shape (rows, classes)."""
        return self.booster_.predict_proba(self._frame(self._with_codes(X)), thread_count=1)


class CatBoostingRegressor(RegressorMixin, CatBoost):
    """CatBoost of values."""

    _is_classifier = False


def library():
    """Return the library; raises ``UserError`` where it is not installed."""
    try:
        import catboost
    except ModuleNotFoundError as error:
        raise UserError(
            "catboost: needs the library of this name; install it (pip install catboost), or choose boosting"
        ) from error
    return catboost


def make(n_classes, threads, seed, **options):
    """Return the estimator."""
    boosting = CatBoostingClassifier if n_classes else CatBoostingRegressor
    return boosting(threads=threads, seed=seed, **options)
