"""What rankings compute once for many weightings equals the definitions, written out, on tables with ties, gaps and weights."""

import numpy as np
import pytest

from stillhouse.evaluation.ranking import Ranking, Thresholds, auc_of, average_precision_of, recall_at


def drawn_case(seed):
    """Labels, scores with ties, parts and weightings of few or many rows."""
    rng = np.random.default_rng(seed)
    rows = int(rng.choice([5, 30, 200]))
    is_positive, parts = rng.random(rows) < rng.choice([0.1, 0.5]), rng.integers(0, rng.choice([1, 2, 4]), rows)
    score = np.round(rng.normal(size=rows) + is_positive, int(rng.choice([0, 1, 8])))
    counts = rng.poisson(1, (6, rows)).astype(float)
    return is_positive, score, parts, counts if seed % 2 else counts * rng.random(rows)


def at_thresholds(is_positive, score, weight, among):
    """Weights of positive and of all rows from each different score on, highest first."""
    limits = np.unique(score[among])[::-1]
    taken = among & (score >= limits[:, None])
    return limits, (taken * is_positive) @ weight, taken @ weight


@pytest.mark.parametrize("seed", range(40))
def test_areas_and_average_precisions_follow_their_definitions(seed):
    is_positive, score, parts, W = drawn_case(seed)
    ranking = Ranking(is_positive, score, parts)
    wins = (score[:, None] > score) + (score[:, None] == score) / 2
    for number, part in enumerate(ranking.parts):
        positive, negative = (parts == part) & is_positive, (parts == part) & ~is_positive
        with np.errstate(invalid="ignore", divide="ignore"):
            areas = [(w * positive) @ wins @ (w * negative) / ((w @ positive) * (w @ negative)) for w in W]
            precisions = []
            for w in W:
                _, found, taken = at_thresholds(is_positive, score, w, parts == part)
                gains = np.diff(found, prepend=0) / (w @ positive)
                precisions.append((gains * np.where(taken > 0, found / taken, 0)).sum())
        assert auc_of(ranking, number, W) == pytest.approx(areas, abs=1e-12, nan_ok=True)
        assert average_precision_of(ranking, number, W) == pytest.approx(precisions, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("precision", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(40))
def test_a_threshold_is_the_lowest_score_of_other_parts_with_the_precision(seed, precision):
    is_positive, score, parts, W = drawn_case(seed)
    ranking = Ranking(is_positive, score, parts)
    thresholds, recalls = Thresholds(ranking, precision), np.zeros(len(W))
    for number, part in enumerate(ranking.parts):
        found = []
        for w in W:
            limits, positive, taken = at_thresholds(is_positive, score, w, parts != part)
            reached = positive / np.maximum(taken, 1e-300) >= precision
            found.append(limits[reached].min(initial=np.inf) if is_positive[parts != part].any() else np.inf)
        assert thresholds.outside(number, W).tolist() == found
        own = is_positive & (parts == part)
        recalls += [w[own & (score >= limit)].sum() for w, limit in zip(W, found, strict=True)]
    with np.errstate(invalid="ignore"):
        assert recall_at(thresholds)(W) == pytest.approx(recalls / (W @ is_positive), abs=1e-12, nan_ok=True)
