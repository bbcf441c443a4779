"""Splits: who may see what."""

import pytest
from plans import FIT, PREPARE, TEACHER, plan, stack, student

from stillhouse.config.dataset import imputation, share, variant
from stillhouse.config.plan import Folds
from stillhouse.splits import held_out, in_order, split_name


@pytest.mark.parametrize("folds", [set(), {0}, {2, 0}, {10, 9, 1}])
def test_a_split_name_says_which_folds_are_held_out(folds):
    assert held_out(split_name(folds)) == folds


def test_a_lone_model_needs_one_split_a_fold():
    assert plan({"tree": FIT}).model_splits("d", "tree") == ["0", "1", "2", "3", "4"]


def test_five_folds_of_a_shipped_student_need_sixteen_splits_of_its_teacher():
    splits = plan({"teacher": TEACHER, "student": student("teacher")}, export=["student"]).model_splits("d", "teacher")
    assert len(splits) == 5 + 10 + 1
    assert splits[0] == "none"


def test_a_student_needs_no_pairs_itself():
    made = plan({"teacher": TEACHER, "student": student("teacher")}, export=["student"])
    assert made.model_splits("d", "student") == ["none", "0", "1", "2", "3", "4"]


def test_members_of_a_stack_that_teaches_never_see_two_more_folds():
    made = plan({"a": FIT, "b": FIT, "stack": stack("a", "b"), "student": student("stack")})
    assert max(len(held_out(split)) for split in made.model_splits("d", "a")) == 3
    assert max(len(held_out(split)) for split in made.model_splits("d", "stack")) == 2


def test_every_unseen_prediction_comes_from_a_split_that_is_built():
    made = plan({"a": FIT, "b": FIT, "stack": stack("a", "b"), "student": student("stack")}, export=["student"])
    for split in made.model_splits("d", "stack"):
        for fold, unseen in made.describe("d", split).unseen.items():
            assert unseen in made.model_splits("d", "a")
            assert {int(fold), *held_out(split)} == held_out(unseen)


def test_only_given_test_rows_are_scored():
    made = plan({"a": FIT, "b": FIT, "stack": stack("a", "b")}, dataset={"test": "test.csv"})
    assert made.scored_splits("d") == ["0"]
    assert made.model_splits("d", "a") == ["0", "0+1", "0+2", "0+3", "0+4", "0+5"]


def test_in_time_a_split_trains_on_the_past_alone():
    folds = Folds({"time": True}, k=5)
    assert folds.trained("3") == [0, 1, 2]
    assert folds.unseen("3") == {1: "1", 2: "2"}
    assert folds.scored == [1, 2, 3, 4]
    assert folds.trained("none") == [0, 1, 2, 3, 4]


def test_in_time_no_pairs_are_needed():
    made = plan({"a": FIT, "b": FIT, "stack": stack("a", "b"), "s": student("stack")}, dataset={"time": True}, export=["s"])
    assert made.model_splits("d", "a") == ["none", "1", "2", "3", "4"]


def test_a_preparation_is_built_for_the_splits_of_its_users():
    made = plan({"a": FIT, "teacher": TEACHER, "student": student("teacher")})
    assert made.prepared_splits("d", impute="median") == in_order(made.splits("d")["teacher"])


def test_a_twin_is_the_student_without_its_teacher():
    made = plan({"teacher": TEACHER, "student": student("teacher")})
    assert made.models["studenttwin"] == {"prepare": PREPARE, "train": {"method": "mlp"}}


def test_a_resampled_model_is_set_beside_itself_without_resampling():
    balanced = {"prepare": {**PREPARE, "resample": "smote"}, "fit": {"method": "tree"}}
    made = plan({"smoted": balanced})
    assert made.models["smotedplain"] == FIT
    assert made.plain == {"smoted": "smotedplain"}
    assert made.seed_name("smotedplain") == "smoted"


def test_a_model_that_is_there_already_is_not_made_again():
    balanced = {"prepare": {**PREPARE, "resample": "smote"}, "fit": {"method": "tree"}}
    made = plan({"tree": FIT, "smoted": balanced})
    assert list(made.models) == ["tree", "smoted"]
    assert made.plain == {"smoted": "tree"}
    assert made.seed_name("tree") == "tree"


def begun(source, **prepare):
    return {"prepare": {**PREPARE, **prepare}, "train": {"method": "mlp", "start": source}}


def test_a_network_needs_those_it_begins_with_for_its_own_splits_alone():
    made = plan({"teacher": TEACHER, "later": begun("teacher"), "student": student("later")})
    assert made.splits("d")["teacher"] == made.splits("d")["later"]
    assert made.is_kept("teacher")
    assert not made.is_kept("later")


def test_a_counterpart_begins_with_a_counterpart():
    smoted = {"prepare": {**PREPARE, "resample": "smote"}, "train": {"method": "mlp"}}
    made = plan({"later": begun("first", resample="smote"), "first": smoted})
    assert made.models["laterplain"] == begun("firstplain")
    taught = student("teacher")
    again = {**taught, "distill": {**taught["distill"], "start": "student"}}
    made = plan({"teacher": TEACHER, "student": taught, "again": again})
    assert made.models["againtwin"]["train"]["start"] == "studenttwin"


def test_seeds_are_derived_from_the_variant_of_a_dataset_and_not_from_its_name():
    assert variant("heart") == variant("renamed") == ""
    assert (variant("heart/repeat2"), variant("renamed/control")) == ("repeat2", "control")


def test_synthetic_rows_are_predicted_in_the_splits_of_their_students_alone():
    models = {"a": FIT, "b": FIT, "pool": stack("a", "b"), "told": student("pool"), "plain": student("a")}
    models["told"] = {**models["told"], "distill": {**models["told"]["distill"], "transfer": ["synthetic"]}}
    found = plan(models, dataset={"synthetic": {"method": "swap", "share": 1}}, export=["told"], k=4)
    assert found.told_splits("d") == {"none", "0", "1", "2", "3"}
    described = [found.describe("d", name) for name in found.model_splits("d", "a")]
    assert {split.name for split in described if split.synthetic} == found.told_splits("d")
    assert len(described) > 10


def test_shares_of_the_rows_are_made_for_the_reference_model_and_what_it_learns_from_alone():
    made = plan({"a": FIT, "b": FIT, "student": student("a")}, export=["student"], halvings=2)
    assert list(made.datasets) == ["d", "d/share2", "d/share4"]
    assert [share(name) for name in made.datasets] == [1, 2, 4]
    assert made.wanted("d/share4") == ["student"]
    assert set(made.wanted("d")) > {"a", "b", "student"}
    assert made.model_splits("d/share2", "b") == []
    assert len(made.model_splits("d/share2", "a")) == 5 + 10


def test_imputations_are_made_for_the_reference_model_by_the_same_seeds_but_those_of_gaps():
    made = plan({"a": FIT, "b": FIT, "student": student("a")}, export=["student"], imputations=3)
    assert list(made.datasets) == ["d", "d/imputation2", "d/imputation3"]
    assert [imputation(name) for name in made.datasets] == [1, 2, 3]
    assert [variant(name) for name in ("d", "d/imputation2", "d/share2")] == ["", "", "share2"]
    assert made.wanted("d/imputation3") == ["student"]
    assert made.model_splits("d/imputation2", "b") == []
    assert "none" not in made.splits("d/imputation2")["student"]
