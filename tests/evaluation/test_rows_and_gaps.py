"""Did the rows suffice, and do gaps tell of the label?"""

from math import ceil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import log_loss

from stillhouse.evaluation.gaps import gaps_by_class, independence_p
from stillhouse.evaluation.sample_size import explained, rows_needed


def test_the_rows_needed_are_those_of_the_published_example():
    """24 coefficients, R² .288, 17.4 % positive: 623, 662 and 221 rows (the example of the package pmsampsize of Riley et al.)."""
    found = {name: ceil(rows) for name, rows in rows_needed(24, 0.288, 0.174).items()}
    assert found == {"shrinkage": 623, "optimism": 662, "mean": 221}


def test_the_share_explained_is_that_of_the_likelihoods():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 2, 50), rng.uniform(0.1, 0.9, 50)
    losses = [log_loss(y, score) for score in (p, np.full(50, y.mean()))]
    likelihood, of_constant = (np.prod(np.where(y == 1, one, 1 - one)) for one in (p, y.mean()))
    assert explained(*losses) == pytest.approx(1 - (of_constant / likelihood) ** (2 / 50))


def test_the_test_of_independence_is_that_of_scipy():
    counts = np.array([[30, 12], [25, 40], [0, 0], [10, 9]])
    assert independence_p(counts) == pytest.approx(chi2_contingency(counts[[0, 1, 3]], correction=False).pvalue)
    assert independence_p(np.array([[5, 3], [0, 0]])) == 1


def test_columns_whose_gaps_differ_between_classes_are_found_and_others_are_not():
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 600)
    table = pd.DataFrame({"label": label * 1.0, "part": "train", "whole": 1.0})
    table["telling"] = np.where(rng.random(600) < 0.1 + 0.4 * label, np.nan, 1.0)
    table["idle"] = np.where(rng.random(600) < 0.3, np.nan, 1.0)
    table.loc[len(table)] = {"label": np.nan, "part": "train", "whole": 1.0, "telling": np.nan, "idle": np.nan}
    found = gaps_by_class(table, ["whole", "idle", "telling"], ["no", "yes"])
    assert list(found) == ["telling"]
    known = table[table["label"].notna()]
    assert found["telling"]["yes"] == pytest.approx(known.loc[known["label"] == 1, "telling"].isna().mean())
    assert gaps_by_class(table, ["whole"], ["no", "yes"]) == {}
    # The gaps of a patient come together, and many rows show differences that mean nothing.
    assert gaps_by_class(table.assign(group="a"), ["telling"], ["no", "yes"]) == {}
    label = np.repeat([0.0, 1.0], 100_000)
    slight = np.where(rng.random(200_000) < 0.30 + 0.02 * label, np.nan, 1.0)
    assert gaps_by_class(pd.DataFrame({"label": label, "part": "train", "slight": slight}), ["slight"], ["no", "yes"]) == {}


@pytest.mark.slow
def test_gaps_by_chance_are_seldom_called_telling():
    """Of 300 tables with ten columns whose gaps mean nothing, one in twenty may have one that is called so."""
    false = 0
    for trial in range(300):
        rng = np.random.default_rng(trial)
        table = pd.DataFrame(np.where(rng.random((200, 10)) < 0.2, np.nan, 1.0), columns=[f"x{place}" for place in range(10)])
        names = list(table)
        false += bool(gaps_by_class(table.assign(label=rng.integers(0, 2, 200) * 1.0, part="train"), names, ["no", "yes"]))
    assert false / 300 < 0.09
