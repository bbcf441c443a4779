"""What each column did to a prediction: Shapley values of the shipped file against a typical row."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from shipped_samples import ship

from stillhouse.columns import graph_input
from stillhouse.errors import UserError
from stillhouse.evaluation.shapley import all_subsets, drawn_subsets, orders_of, subsets, typical
from stillhouse.shipping.effects import Effects
from stillhouse.shipping.serving import Shipped, predict_file


def by_all_orders(f, row, reference):
    """Each value's mean gain over all orders in which values replace those of the reference."""
    orders, effects = list(permutations(range(len(row)))), np.zeros(len(row))
    for order in orders:
        now = reference.copy()
        for place in order:
            before = f(now)
            now[place] = row[place]
            effects[place] += (f(now) - before) / len(orders)
    return effects


def product(x):
    """A function whose numbers act together."""
    return np.tanh(x[0] * x[1]) + x[2] * x[3] * x[1] - x[0] ** 2 + 0.5 * x[3]


def by_subsets(f, row, reference, moved, shares):
    return np.array([f(np.where(own, row, reference)) for own in moved]) @ shares


def test_effects_over_all_subsets_are_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    for _ in range(5):
        row, reference = rng.normal(size=(2, 4))
        found = by_subsets(product, row, reference, *all_subsets(4))
        assert found == pytest.approx(by_all_orders(product, row, reference), abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_effects_over_drawn_orders_sum_to_the_gap_and_are_exact_where_columns_act_alone(count):
    rng = np.random.default_rng(count)
    moved, shares = subsets(count, 256)
    assert moved[-1].all() and not moved[0].any()
    assert len(moved) <= 256
    row, reference, factor = rng.normal(size=(3, count))
    alone = by_subsets(lambda x: (factor * x**3).sum(), row, reference, moved, shares)
    assert alone == pytest.approx(factor * (row**3 - reference**3), abs=1e-9)
    together = by_subsets(lambda x: np.prod(np.cos(x)), row, reference, moved, shares)
    assert together.sum() == pytest.approx(np.prod(np.cos(row)) - np.prod(np.cos(reference)), abs=1e-12)


def test_an_order_and_its_reverse_are_exact_where_columns_act_in_pairs():
    rng = np.random.default_rng(0)
    row, reference = rng.normal(size=(2, 10))
    pairs = rng.normal(size=(10, 10))
    exact, near = (by_subsets(lambda x: x @ pairs @ x, row, reference, *own) for own in (all_subsets(10), drawn_subsets(10, 1)))
    assert near == pytest.approx(exact, abs=1e-10)


def test_drawn_orders_are_near_all_orders():
    """Of curves of sums of pairs, within a twentieth of the largest effect, on average; nearer over more orders."""
    errors = {12: [], 200: []}
    for trial in range(20):
        rng = np.random.default_rng(trial)
        row, reference = rng.normal(size=(2, 10))
        weights, bias = rng.normal(size=(10, 10)) / 10, rng.normal(size=10)

        def f(x, weights=weights, bias=bias):
            return 1 / (1 + np.exp(-(x @ weights @ x + x @ bias)))

        exact = by_subsets(f, row, reference, *all_subsets(10))
        for pairs, found in errors.items():
            near = by_subsets(f, row, reference, *drawn_subsets(10, pairs))
            found.append(np.abs(near - exact).mean() / np.abs(exact).max())
    assert np.mean(errors[12]) < 0.05
    assert np.mean(errors[200]) < 0.4 * np.mean(errors[12])


def test_rows_of_many_columns_are_predicted_no_more_often_than_those_of_few():
    assert [len(subsets(count, 256)[0]) for count in (3, 8, 200)] == [8, 256, 400]
    assert all(128 < len(subsets(count, 256)[0]) <= 256 for count in (9, 13, 30, 60, 128))
    assert [orders_of(count, 256) for count in (8, 9, 200)] == ["all orders", "28 orders", "2 orders"]


def fake(columns, classes, f):
    """A shipped model whose scores are a function of its inputs by name."""
    return SimpleNamespace(
        columns=columns,
        classes=classes,
        path="m.onnx",
        scores=lambda inputs: f(**{n.split(":")[1]: v for n, v in inputs.items()}),
    )


NUMBERS = [{"name": name, "source": name, "kind": "numeric", "typical": 1.0} for name in ("a", "b")]


def typed(**columns):
    return {name: SimpleNamespace(as_input=lambda values=values: np.array(values)[:, None]) for name, values in columns.items()}


def test_of_many_classes_the_likeliest_is_explained_and_of_values_the_value():
    def three(a, b):
        scores = np.exp(np.concatenate([a, b, np.zeros_like(a)], axis=1))
        return scores / scores.sum(axis=1, keepdims=True)

    shipped = fake(NUMBERS, ["x", "y", "z"], three)
    found = Effects(shipped).of(typed(a=[5.0, 1.0], b=[1.0, 4.0]), pd.RangeIndex(2))
    start = three(np.array([[1.0]]), np.array([[1.0]]))[0]
    ends = three(np.array([[5.0], [1.0]]), np.array([[1.0], [4.0]]))
    assert found["effect_a"].tolist() == [pytest.approx(ends[0, 0] - start[0]), 0]
    assert found["effect_b"].tolist() == [pytest.approx(0, abs=1e-15), pytest.approx(ends[1, 1] - start[1])]
    values = Effects(fake(NUMBERS, None, lambda a, b: 2 * a - b)).of(typed(a=[5.0], b=[0.0]), pd.RangeIndex(1))
    assert values.to_numpy().tolist() == [[8.0, 1.0]]


def test_columns_that_are_made_of_one_move_together():
    parts = [{"name": f"day {part}", "source": "day", "kind": "datetime", "typical": 0.0} for part in ("year", "month")]
    shipped = SimpleNamespace(
        columns=[*parts, NUMBERS[0]],
        classes=None,
        path="m.onnx",
        scores=lambda inputs: inputs[graph_input("day year")] * inputs[graph_input("day month")] + inputs[graph_input("a")],
    )
    found = Effects(shipped).of(typed(**{"day year": [3.0], "day month": [4.0], "a": [1.5]}), pd.RangeIndex(1))
    assert found.to_dict("records") == [{"effect_day": 12.0, "effect_a": 0.5}]


def test_effects_are_written_beside_predictions_and_sum_to_the_gap_from_the_typical_row(gappy, tmp_path, capsys):
    path, raw, *_ = ship("median", gappy, tmp_path)
    raw.drop(columns="row").to_csv(tmp_path / "rows.csv", index=False, na_rep="?")
    predict_file(path, tmp_path / "rows.csv", tmp_path / "out.csv", explain=True)
    found, shipped = pd.read_csv(tmp_path / "out.csv"), Shipped(path)
    effects = found.filter(like="effect_")
    assert list(effects) == [f"effect_{column['source']}" for column in shipped.columns]
    start = Effects(shipped).of_typical[1]
    assert effects.sum(axis=1).to_numpy() == pytest.approx(found["p_high"].to_numpy() - start, abs=1e-6)
    assert effects.abs().to_numpy().max() > 0.01
    assert "how far a column moves the probability of 'high' from" in capsys.readouterr().err
    alone = raw[3:4].drop(columns="row")
    alone.to_csv(tmp_path / "one.csv", index=False, na_rep="?")
    predict_file(path, tmp_path / "one.csv", tmp_path / "one-out.csv", explain=True)
    assert pd.read_csv(tmp_path / "one-out.csv").filter(like="effect_").to_numpy()[0] == pytest.approx(
        effects.to_numpy()[3], abs=1e-6
    )


def test_words_of_texts_are_named_with_what_the_prediction_has_less_without_them():
    """Here a text's worth is how often it has ``bad`` and ``sad``; of other letters next to nothing."""
    column = {"name": "note", "source": "note", "kind": "text", "typical": None}
    age = {**NUMBERS[0], "name": "age", "source": "age"}

    def value(note, age):
        return np.array([[text.count("bad") + text.count("sad") / 2 + len(text) / 1e9] for (text,) in note]) + age

    effects = Effects(fake([column, age], None, value))
    texts = np.array(
        ["bad but not sad , bad", "", "fine", " ".join(f"w{number}" for number in range(300)) + " sad"], dtype=object
    )
    found = effects.of(typed(note=texts, age=[1.0, 2.0, 3.0, 4.0]), pd.RangeIndex(4))
    assert found["words_note"].tolist() == ["bad +2; sad +0.5", "", "", "sad +0.5"]
    assert found["effect_note"].to_numpy() == pytest.approx([2.5, 0, 0, 0.5], abs=1e-5)
    assert "words_… name the words" in effects.sentence()
    assert "words_…" not in Effects(fake([age], None, lambda age: age)).sentence()


def test_a_file_without_typical_values_is_refused():
    columns = [{key: value for key, value in column.items() if key != "typical"} for column in NUMBERS]
    with pytest.raises(UserError, match=r"m\.onnx: has no typical row"):
        Effects(fake(columns, None, None))


def test_the_typical_value_is_the_median_or_the_most_frequent_category_and_gaps_are_one():
    def of(values, kind):
        return typical(pd.Series(values), {"kind": kind})

    assert of([1.0, 2.0, 9.0, np.nan], "numeric") == 2.0
    assert of([0.0, 1.0, 1.0, 0.0, 1.0], "boolean") == 1.0
    assert of(["x", None, None], "categorical") == "(missing)"
    assert of([np.nan, np.nan], "numeric") is None
    assert of(["a text"], "text") is None
