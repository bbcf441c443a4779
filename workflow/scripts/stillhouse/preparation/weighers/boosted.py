"""The density ratio from boosted trees that tell deploy rows from training rows."""

from functools import partial

import lightgbm

from stillhouse.preparation.density_ratio import ClassifierRatio


def make(seed, rounds):
    """Return candidates; the number of trees is chosen among ``rounds``."""
    return [partial(_boosted_ratio, count, seed) for count in rounds]


def _boosted_ratio(count, seed):
    options = {"num_leaves": 8, "learning_rate": 0.05, "min_child_samples": 20, "n_jobs": 1, "verbose": -1}
    fixed = {"random_state": seed, "deterministic": True, "force_row_wise": True}
    return ClassifierRatio(lightgbm.LGBMClassifier(n_estimators=count, **options, **fixed))
