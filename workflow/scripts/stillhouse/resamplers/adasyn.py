"""ADASYN: the more synthetic rows around a row, the more neighbours of other classes it has (He et al. 2008)."""

from imblearn.over_sampling import ADASYN

from stillhouse.columns import LABEL, features
from stillhouse.resamplers.smote import check_neighbors
from stillhouse.synthetic import with_synthetic


def make(neighbors):
    """Return a function of (sample, rng); one-hot blocks are interpolated and made whole again."""
    return lambda sample, rng: with_adaptive_rows(sample, neighbors, seed=int(rng.integers(2**31)))


def with_adaptive_rows(sample, neighbors, seed):
    """Return the sample and synthetic rows below it; where no row has a neighbour of another class, the sample."""
    check_neighbors(sample, neighbors)
    X, labels = sample[features(sample)].to_numpy("float64"), sample[LABEL].to_numpy()
    try:
        X, labels = ADASYN(n_neighbors=neighbors, random_state=seed).fit_resample(X, labels)
    except (ValueError, RuntimeError) as error:
        if "No samples will be generated" not in str(error) and "Not any neigbours" not in str(error):
            raise
    return with_synthetic(sample, X[len(sample) :], labels[len(sample) :])
