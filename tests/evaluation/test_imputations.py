"""Rubin's rules: pooled estimates, their intervals, and what rows without gaps alone would say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import PROTOCOL, SETTINGS, predicted
from scipy.stats import binom
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (unlocks the imputer)
from sklearn.metrics import roc_auc_score

from stillhouse.evaluation.pooling import pooled_metrics, pooling, rubin
from stillhouse.evaluation.scores import assess
from stillhouse.methods import build


def test_pooled_estimates_are_those_of_rubin_and_of_barnard_and_rubin():
    found = rubin([1.0, 2.0, 2.0, 3.0], [1.5, 2.5, 2.0, 2.0], 21)
    # By hand: within 2 and between 2/3 make 2 + 1.25 * 2/3, of which gaps account for 5/17.
    assert found.value == 2
    assert found.variance == pytest.approx(17 / 6)
    assert found.of_gaps == pytest.approx(5 / 17)
    # 1 / (25/289 / 3 + 24 / (22 * 21 * 12/17)), and (5/12 + 2 / (9.763 + 3)) / (17/12).
    assert found.freedom == pytest.approx(9.7632, abs=1e-3)
    assert found.missing == pytest.approx(0.40474, abs=1e-4)


def test_equal_imputations_have_the_interval_of_one_and_lose_nothing():
    rows = predicted(1, 0.8)
    pooled, alone = pooled_metrics([rows] * 3, PROTOCOL), assess(rows, PROTOCOL)["metrics"]
    assert set(pooled) == {name for name, found in alone.items() if found["low"] is not None}
    for name, found in pooled.items():
        assert found["missing"] == 0
        for key in ("value", "low", "high"):
            # Degrees of freedom are those of Barnard and Rubin, a few fewer than there are rows.
            assert found[key] == pytest.approx(alone[name][key], abs=2e-4), name


def test_imputations_that_differ_widen_every_interval():
    tables = [predicted(seed, 0.8) for seed in range(4)]
    pooled, alone = pooled_metrics(tables, PROTOCOL), assess(tables[0], PROTOCOL)["metrics"]
    for name, found in pooled.items():
        assert found["value"] == pytest.approx(np.mean(found["imputations"]))
        assert 0 < found["missing"] < 1
        assert found["high"] - found["low"] > alone[name]["high"] - alone[name]["low"], name


def test_mean_predictions_their_spread_and_complete_rows_are_told():
    tables = [predicted(seed, 0.8) for seed in range(3)]
    is_complete = np.arange(len(tables[0])) < 100
    found, predictions = pooling(tables, is_complete, PROTOCOL)
    p = np.stack([rows["p_b"] for rows in tables])
    assert predictions["p_b"].to_numpy() == pytest.approx(p.mean(axis=0))
    assert predictions["spread"].to_numpy() == pytest.approx(p.std(axis=0, ddof=1))
    assert found["by_mean_predictions"]["value"] > max(found["metrics"]["auc"]["imputations"])
    assert found["complete_rows"] == 100
    assert found["by_complete_rows"]["value"] == pytest.approx(assess(tables[0][:100], PROTOCOL)["metrics"]["auc"]["value"])
    nobody, _ = pooling(tables, np.zeros(len(tables[0]), dtype=bool), PROTOCOL)
    assert nobody["by_complete_rows"] is None


ROWS, DRAWS, IMPUTER = 400, 5, {"method": "iterative", "rounds": 5, "draw": True}


def table_with_gaps(count, rng):
    """Labels, two numbers that tell of them, and gaps of the second where the first one leaves doubt."""
    label = rng.integers(0, 2, count)
    first = rng.normal(size=count) + 0.8 * label
    second = 0.6 * first + rng.normal(size=count) + 0.8 * label
    is_gap = rng.random(count) < np.exp(-((first - 0.4) ** 2))
    return label, pd.DataFrame({"first": first, "second": np.where(is_gap, np.nan, second)})


def scores_of(imputer, table):
    """The probabilities of a known model on filled rows."""
    return 1 / (1 + np.exp(-(imputer.transform(table).sum(axis=1) - 1.2)))


def rows_of(label, p):
    known = {"row": np.arange(len(label)), "p_a": 1 - p, "p_b": p, "decision": (p > 0.5).astype(int)}
    return pd.DataFrame({**known, "label": label.astype(float), "part": "train", "fold": 0})


@pytest.mark.slow
@pytest.mark.proof
def test_pooled_intervals_cover_the_score_of_rows_as_they_come_where_those_of_complete_rows_do_not():
    trials, held, protocol = 300, [], replace(PROTOCOL, settings={**SETTINGS, "draws": 400})
    new, raw = table_with_gaps(100_000, np.random.default_rng(10_000))
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        _, fitted = table_with_gaps(ROWS, rng)
        label, table = table_with_gaps(ROWS, rng)
        imputers = [build("imputers", IMPUTER, seed=1000 * trial + draw).fit(fitted) for draw in range(DRAWS)]
        tables = [rows_of(label, scores_of(imputer, table)) for imputer in imputers]
        found, _ = pooling(tables, table.notna().all(axis=1).to_numpy(), protocol)
        truth = np.mean([roc_auc_score(new, scores_of(imputer, raw)) for imputer in imputers[:2]])
        intervals = found["metrics"]["auc"], found["by_complete_rows"]
        held.append([one["low"] <= truth <= one["high"] for one in intervals])
    pooled, complete = np.mean(held, axis=0)
    print(f"{trials} tables: pooled intervals hold {pooled:.3f} of the time, those of complete rows {complete:.3f}")
    # Rubin's variance is that of a single imputation and more, so that it errs to the safe side for the mean of several.
    low, high = binom.ppf([0.001, 0.999], trials, [0.95, 0.975]) / trials
    assert low <= pooled <= high
    assert complete < 0.6
