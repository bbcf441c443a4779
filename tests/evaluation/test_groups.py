"""Errors by group: equal losses may hide unequal errors."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import report_run

from stillhouse.columns import FALSE_NEGATIVES, FALSE_POSITIVES
from stillhouse.evaluation.groups import groups
from stillhouse.evaluation.intervals import prediction_interval
from stillhouse.evaluation.protocol import Protocol
from stillhouse.intake import kinds
from stillhouse.intake.folds import make_folds
from stillhouse.intake.task import Task
from stillhouse.report.sections import scores
from stillhouse.report.sections.explanation import group_sentence

SETTINGS = {"draws": 200, "level": 0.95, "precision": 0.9, "quantile": 0.5, "slice_rows": 30}
SCHEMA = {
    "columns": [{"name": "group", "source": "group", "position": 0, "kind": kinds.CATEGORICAL}],
    "target": "again",
    "classes": ["no", "yes"],
}


def decided(rows, wrong, seed=0, shares=(0.6, 0.3, 0.1), positives=0.5):
    """Held-out rows and the table of three groups; ``wrong`` has by group how often a no and a yes are decided wrongly."""
    rng = np.random.default_rng(seed)
    group = rng.choice(list("abc"), rows, p=shares)
    label = (rng.random(rows) < positives).astype(int)
    chance = np.array([wrong[one][code] for one, code in zip(group, label, strict=True)])
    decision = np.where(rng.random(rows) < chance, 1 - label, label)
    facts = {"row": np.arange(rows), "label": label.astype(float), "part": "train", "fold": np.arange(rows) % 4}
    held_out = pd.DataFrame({**facts, "p_no": 0.5, "p_yes": 0.5, "decision": decision})
    return held_out, pd.DataFrame({**{key: facts[key] for key in ("row", "label", "part")}, "group": group})


def found(*given, task=("binary", ["no", "yes"]), settings=SETTINGS):
    return groups(*given, SCHEMA, ["group"], Protocol(Task(*task), settings, seed=1))


def test_rates_are_shares_of_the_rows_of_a_class_and_small_groups_come_first():
    rows, table = decided(900, dict.fromkeys("abc", (0.2, 0.1)))
    lines = found(rows, table)
    assert lines["group"].tolist() == [f"group is {name}" for name in "ccbbaa"]
    for line in lines.to_dict("records"):
        own = (table["group"] == line["group"][-1]).to_numpy()
        of_class = (rows["label"] == (1 if line["rate"] == FALSE_NEGATIVES else 0)).to_numpy()
        wrong = (rows["decision"] != rows["label"]).to_numpy()
        assert line["rows"] == own.sum()
        assert line["base_rate"] == pytest.approx(rows["label"][own].mean())
        assert line["value"] == pytest.approx(wrong[own & of_class].mean())
        assert line["elsewhere"] == pytest.approx(wrong[~own & of_class].mean())
        assert line["of_rows"] == (own & of_class).sum()
        assert line["low"] <= line["value"] <= line["high"]
        assert line["gap_low"] <= line["gap"] == pytest.approx(line["value"] - line["elsewhere"])
        assert line["gap"] <= line["gap_high"]


def test_a_group_with_most_of_the_false_positives_is_told_though_its_loss_is_like_that_of_others():
    """As in a public table of justice: 42 % of those who did not come again were called likely to, and 22 % of others."""
    rows, table = decided(3000, {"a": (0.42, 0.28), "b": (0.22, 0.48), "c": (0.32, 0.38)})
    lines = found(rows, table).set_index(["group", "rate"])
    assert lines.loc[("group is a", FALSE_POSITIVES), "apart"]
    assert lines.loc[("group is b", FALSE_NEGATIVES), "apart"]
    assert not lines.loc[[("group is c", rate) for rate in (FALSE_POSITIVES, FALSE_NEGATIVES)], "apart"].any()


@pytest.mark.slow
@pytest.mark.parametrize("positives", [0.5, 0.05])
def test_equal_groups_are_hardly_ever_called_apart(positives):
    """300 tables: some gap is called clear in at most a twentieth of them, by three standard errors; of a rare class, too."""
    tables = (decided(400, dict.fromkeys("abc", (0.3, 0.3)), seed, (0.4, 0.3, 0.3), positives) for seed in range(300))
    false = [found(*table)["apart"].any() for table in tables]
    assert np.mean(false) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_no_error_among_a_handful_of_rows_is_nothing_special():
    rows, table = decided(600, dict.fromkeys("abc", (0.0, 0.3)), shares=(0.5, 0.4, 0.1), positives=0.5)
    own = np.flatnonzero((table["group"] == "c") & (rows["label"] == 1))
    rows.loc[own[5:], "label"] = table.loc[own[5:], "label"] = 0.0
    rows["decision"] = np.where(rows.index.isin(own[:5]), 1, rows["decision"])
    line = found(rows, table).set_index(["group", "rate"]).loc[("group is c", FALSE_NEGATIVES)]
    assert (line["value"], line["of_rows"]) == (0, 5)
    assert line["elsewhere"] > 0.2
    assert not line["apart"]


def test_small_groups_other_tasks_and_rows_without_decisions_have_no_lines():
    rows, table = decided(300, dict.fromkeys("abc", (0.2, 0.1)), shares=(0.5, 0.48, 0.02))
    assert set(found(rows, table)["group"]) == {"group is a", "group is b"}
    assert len(found(rows.drop(columns="decision"), table)) == 0
    assert len(found(rows, table, task=("multiclass", ["no", "yes", "maybe"]))) == 0
    alone = rows.assign(label=0.0)
    assert set(found(alone, table.assign(label=0.0))["rate"]) == {FALSE_POSITIVES}


def test_of_two_groups_the_smaller_one_is_compared_with_the_other():
    rows, table = decided(900, {"a": (0.2, 0.1), "b": (0.2, 0.1)}, shares=(0.7, 0.3, 0.0))
    assert found(rows, table)["group"].unique().tolist() == ["group is b"]


def test_the_report_says_which_errors_differ():
    rows, table = decided(3000, {"a": (0.42, 0.28), "b": (0.22, 0.48), "c": (0.32, 0.38)})
    run = SimpleNamespace(
        groups=found(rows, table), task=SimpleNamespace(classes=["no", "yes"]), reference="m", quoted=lambda name: f"“{name}”"
    )
    said = group_sentence(run)
    assert said.startswith("Errors differ between groups. Where group is ")
    assert "“m” decides for yes in " in said
    assert ", and for no in " in said
    run.groups = run.groups.assign(apart=False)
    assert group_sentence(run) == ""


@pytest.mark.slow
@pytest.mark.parametrize("sites", [4, 10])
def test_the_interval_for_a_new_site_holds_its_score(sites):
    """300 sets of sites whose true scores differ: that of one more lies in the interval in 95 %, by three standard errors."""
    rng, held = np.random.default_rng(sites), []
    for _ in range(300):
        scores = rng.normal(0.8, 0.05, sites + 1) + rng.normal(0, 0.02, sites + 1)
        low, high = prediction_interval(scores[:-1], 0.95)
        held.append(low <= scores[-1] <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 300))


def test_a_site_for_each_fold_is_scored_by_the_others_and_the_report_says_how_they_differ():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"part": "train", "label": rng.integers(0, 2, 400).astype(float), "row": range(400)})
    table["group"] = np.repeat(["north", "south", "east", "west"], [180, 120, 60, 40])
    folds = make_folds(table, [], ["no", "yes"], 4, seed=1)
    assert (folds.groupby("fold")["group"].nunique() == 1).all()
    held_out = table.merge(folds[["row", "fold"]], on="row")
    site_of = held_out.groupby("fold")["group"].first()
    aucs = {str(fold): {"north": 0.9, "south": 0.85, "east": 0.8, "west": 0.7}[name] for fold, name in site_of.items()}
    run = report_run(
        comparison=pd.DataFrame({"model": ["m"]}),
        rows={"m": held_out},
        schema={"task": "binary", "classes": ["no", "yes"], "costs": None},
        metrics={"m": {"held_out": {"metrics": {"auc": {"folds": aucs}}}}},
    )
    said = scores.group_sentence(run)
    assert "is between 0.700 (west) and 0.900 (north)" in said
    assert said.endswith(
        "By these 4 groups, it is roughly between 0.509 and 1.000 in a new one of the kind and size, 95 % sure."
    )
    run.rows = {"m": held_out.assign(fold=0)}
    assert scores.group_sentence(run) == ""
