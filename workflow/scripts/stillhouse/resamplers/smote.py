"""SMOTE between nearest rows of a class (Chawla et al. 2002); SMOTENC by itself where there are categories."""

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT, features, source
from stillhouse.errors import UserError

# Small enough to leave the distances between rows as they are, large enough to come back exactly from float64.
TINY = 1e-9


def make(neighbors):
    """Return a function of (sample, rng) that adds synthetic rows until every class is as large as the largest."""
    return lambda sample, rng: with_synthetic_rows(sample, neighbors, seed=int(rng.integers(2**31)))


def with_synthetic_rows(sample, neighbors, seed):
    """Return the sample and synthetic rows: row and fold -1, weight between those of their parents."""
    smallest = sample[LABEL].value_counts().min()
    if smallest <= neighbors:
        raise UserError(
            f"smote: a class has {smallest} rows to draw from, and {neighbors} neighbors are asked for; "
            "lower neighbors, or use over"
        )
    names = features(sample)
    codes, decode = collapsed(sample[names])
    # The weight rides along as a feature, so that a synthetic row gets its parents' weights as it gets their values.
    X = codes.assign(**{WEIGHT: sample[WEIGHT] * TINY})
    resampled, labels = sampler(codes, neighbors, seed).fit_resample(X, sample[LABEL])
    synthetic = resampled.iloc[len(sample) :]
    facts = {ROW: -1, FOLD: -1, LABEL: labels.iloc[len(sample) :], WEIGHT: synthetic[WEIGHT] / TINY, STOP: False}
    return pd.concat([sample, decode(synthetic).assign(**facts)[sample.columns]], ignore_index=True)


def sampler(codes, neighbors, seed):
    """Return SMOTE, or SMOTENC for tables with categorical columns."""
    categorical = [name for name in codes if name.startswith("c")]
    if not categorical:
        return SMOTE(k_neighbors=neighbors, random_state=seed)
    return SMOTENC(categorical_features=categorical, k_neighbors=neighbors, random_state=seed)


def collapsed(table):
    """Return the table with one-hot columns collapsed to a code each, and a function that undoes this."""
    groups = {}
    for name in table.columns:
        groups.setdefault(source(name) if name.startswith("c") else name, []).append(name)
    categorical = {key: names for key, names in groups.items() if key.startswith("c")}
    columns = {key: table[names[0]].astype("float64") for key, names in groups.items() if key not in categorical}
    for key, names in categorical.items():
        hot = table[names].to_numpy()
        columns[key] = np.where(hot.any(axis=1), hot.argmax(axis=1), -1)

    def decode(codes):
        hot = {key: np.arange(len(names)) == codes[key].to_numpy()[:, None] for key, names in categorical.items()}
        blocks = [hot[key] if key in hot else codes[[key]].to_numpy() for key in groups]
        names = [name for members in groups.values() for name in members]
        return pd.DataFrame(np.hstack(blocks).astype(np.float32), columns=names, index=codes.index)

    return pd.DataFrame(columns), decode
