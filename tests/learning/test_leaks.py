"""The leak guard: what a split must not see cannot change what it predicts, not by one bit.

Every method is held to it from raw columns to predictions, by library calls; ``test_leaks_in_the_workflow.py`` holds rules and
scripts to it, and ``test_planted.py`` the guard itself.
"""

from functools import cache

import pytest
from chain import Chain, intake
from guard import changed_rows, configuration, flip, flip_and_shuffle, with_every_method

from stillhouse.splits import held_out

MODELS = with_every_method()


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    """Return a function that gives the models of the table as it is, or with the rows of a fold changed."""
    folder = tmp_path_factory.mktemp("guard")
    config = configuration(MODELS, folder)
    table, schema, folds = intake(config)

    @cache
    def chain(change=None, fold=0):
        changed = change(table, (folds["fold"] == fold).to_numpy()) if change else table
        return Chain(folder / f"{change and change.__name__}-{fold}", config, changed, schema, folds)

    return chain


def splits_without_fold_0(chain, model):
    return [split for split in chain.plan.model_splits(chain.dataset, model) if 0 in held_out(split)]


def rows_that_change(honest, other, model):
    """Return the rows, over all splits that hold out fold 0, whose predictions are others."""
    splits = splits_without_fold_0(honest, model)
    assert splits
    return set().union(*(changed_rows(honest.predictions(model, split), other.predictions(model, split)) for split in splits))


@pytest.mark.parametrize("model", MODELS)
def test_no_prediction_changes_but_those_of_the_changed_rows(model, chains):
    honest, other = chains(), chains(flip_and_shuffle)
    of_fold_0 = honest.folds.loc[(honest.folds["fold"] == 0) | (honest.folds["parents"] == 0), "row"]
    assert rows_that_change(honest, other, model) <= set(of_fold_0)


@pytest.mark.parametrize("model", MODELS)
def test_no_prediction_depends_on_labels_of_rows_that_are_held_out(model, chains):
    assert rows_that_change(chains(), chains(flip), model) == set()


@pytest.mark.parametrize("model", MODELS)
def test_the_guard_sees_what_it_should_see(model, chains):
    """The rows of fold 1, which splits that hold out 0 do learn from, change every model."""
    assert rows_that_change(chains(), chains(flip_and_shuffle, fold=1), model)
