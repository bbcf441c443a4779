"""Rows of rarer classes are drawn from a Gaussian mixture fitted to the class."""

import numpy as np
from sklearn.mixture import GaussianMixture

from stillhouse.columns import LABEL, features
from stillhouse.errors import UserError
from stillhouse.preparation.resampled_rows import rows_to_add, with_resampled_rows


def make(components):
    """Return a function of (sample, rng)."""
    return lambda sample, rng: with_drawn_rows(sample, components, seed=int(rng.integers(2**31)))


def with_drawn_rows(sample, components, seed):
    """Return the sample with drawn rows appended, until every class is as large as the largest."""
    drawn, labels = [], []
    for label, count in rows_to_add(sample).items():
        X = sample.loc[sample[LABEL] == label, features(sample)].to_numpy("float64")
        if len(X) < 2:
            raise UserError("resamplers: mixture needs at least two rows of each class; use `over` instead")
        mixture = GaussianMixture(min(components, len(X)), covariance_type="diag", reg_covar=1e-4, random_state=seed).fit(X)
        drawn.append(mixture.sample(count)[0])
        labels.append(np.full(count, label))
    return with_resampled_rows(sample, np.vstack(drawn), np.concatenate(labels)) if drawn else sample
