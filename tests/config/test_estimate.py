"""The time of a run is estimated from its configuration, the rows and the columns."""

import pytest

from stillhouse.config.checks.configuration import checked
from stillhouse.config.estimate import JOB, JOB_OF_NETWORKS, Size, minutes, seconds
from stillhouse.config.plan import Plan

SIZE = Size(rows=5000, numbers=10, categories=3, onehots=20, components=0, characters=0, classes=2)
MODELS = {
    "forest": {"fit": {"method": "forest"}},
    "boosted": {"fit": {"method": "boosting"}},
    "network": {"train": {"method": "mlp"}},
}


def taken(schema, models, size=SIZE, **given):
    config = {"datasets": {"d": {"train": "sklearn:iris", "target": "target"}}, "models": models, "folds": {"k": 4}, **given}
    return seconds(Plan(checked(config, schema)), "d", size)


@pytest.mark.parametrize(
    ("model", "given", "times"),
    [
        ("forest", {"trees": 400}, 2),
        ("forest", {"bag": 3}, 3),
        ("forest", {"search": {"leaf": [1, 5, 9]}}, 4),
        ("boosted", {"search": {"leaf": [5, 9], "rate": [0.1, 0.2]}, "trials": 3}, 4),
        ("network", {"seeds": 3}, 3),
        ("network", {"epochs": 9}, 0.2),
        ("network", {"epochs": 1000}, 1),
    ],
)
def test_a_setting_counts_as_often_as_it_makes_models(schema, model, given, times):
    ((verb, settings),) = MODELS[model].items()
    imports = JOB_OF_NETWORKS if verb == "train" else 2 * JOB
    usual, changed = (taken(schema, {model: {verb: {**settings, **more}}})[model] - imports for more in ({}, given))
    assert changed / usual == pytest.approx(times)


def test_every_split_of_every_model_counts_by_the_rows_that_it_learns_from(schema):
    """Four folds of 5,000 rows: a stacked member learns from 3/4 in four splits and from 2/4 in six, twice each."""
    linear = {"fit": {"method": "logistic"}}
    alone = taken(schema, {"linear": linear})["linear"] - 2 * JOB
    stacked = taken(schema, {"linear": linear, "stack": {"stack": {"method": "platt", "members": ["linear"]}}})["linear"]
    assert alone == pytest.approx(3e-7 * 30 * 2 * 5000 * 1.85 * 3)
    assert (stacked - 2 * JOB) / alone == pytest.approx((4 * 3 / 4 + 6 * 2 / 4) / 3)


def test_convolutions_count_by_pixels_channels_and_layers(schema):
    """Twice the height and the width are four times the products, and so are about twice the channels."""
    whole = {"imputers": {"whole": {"method": "median", "pictures": {"method": "pixels"}}}}

    def of_pictures(side, **given):
        models = {"m": {"prepare": {"impute": "whole"}, "train": {"method": "cnn", "numbers": "none", "width": 1, **given}}}
        sizes = [SIZE._replace(pictures=shapes) for shapes in (((3, side, side),), ((3, 1, 1),))]
        more, least = (taken(schema, models, size, **whole)["m"] for size in sizes)
        return more - least

    small = of_pictures(32)
    assert of_pictures(64) == pytest.approx(4 * small, rel=0.02)
    assert of_pictures(32, channels=[32, 64, 128]) > 2.2 * small
    assert of_pictures(32, method="resnet2d", blocks=2) > of_pictures(32, method="resnet2d") > small
    assert of_pictures(32, epochs=20) == pytest.approx(0.1 * small, rel=0.02)


def test_an_estimate_grows_with_what_there_is_and_shrinks_with_what_runs_it(schema):
    usual = taken(schema, MODELS)
    for more in (
        {"rows": 10_000},
        {"numbers": 20},
        {"categories": 9},
        {"components": 80},
        {"characters": 10**7},
        {"classes": 5},
        {"pictures": ((3, 32, 32),)},
    ):
        assert sum(taken(schema, MODELS, SIZE._replace(**more)).values()) > sum(usual.values())
    assert sum(taken(schema, MODELS, report={"draws": 4000}).values()) > sum(usual.values())
    assert minutes(usual, 4) < minutes(usual, 2) < minutes(usual, 2, speed=0.5)
