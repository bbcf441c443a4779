"""Scales: what a far value may do to the others."""

import numpy as np
import pytest

from stillhouse.preparation.scaling import LIMIT, Scaler


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)
    return np.column_stack([rng.normal(5, 2, 500), np.exp(rng.normal(0, 3, 500)), np.full(500, 7.0)])


def test_ordinary_columns_are_standardized_and_those_with_heavy_tails_softly_clipped(columns):
    scaled = Scaler("auto").fit(columns).transform(columns)
    assert (scaled[:, 0].mean(), scaled[:, 0].std()) == pytest.approx((0, 1), abs=1e-9)
    assert np.abs(scaled[:, 1]).max() <= LIMIT
    assert (np.argsort(scaled[:, 1]) == np.argsort(columns[:, 1])).all()
    assert (scaled[:, 2] == 0).all()


def test_a_value_far_beyond_the_training_rows_is_not_far_from_them(columns):
    scaler = Scaler("robust").fit(columns)
    assert scaler.transform(np.array([[1e9, 1e9, 7.0]])) == pytest.approx(np.array([[LIMIT, LIMIT, 0]]), abs=0.01)


@pytest.mark.parametrize("method", [True, False])
def test_nothing_is_clipped_where_that_is_not_asked_for(method, columns):
    scaled = Scaler(method).fit(columns).transform(columns)
    assert np.abs(scaled[:, 1]).max() > LIMIT
    assert method or (scaled == columns).all()


def test_gaps_stay_gaps_and_an_empty_column_stays_empty(columns):
    columns[::3, 0], columns[:, 2] = np.nan, np.nan
    scaled = Scaler("auto").fit(columns).transform(columns)
    assert (np.isnan(scaled) == np.isnan(columns)).all()
