"""Inputs: which splits, models, choices and method files a job reads."""

import pytest
from conftest import SCHEMA
from plans import FIT, PREPARE, TEACHER, plan, stack, student

from stillhouse.config import inputs
from stillhouse.config.completion import ConfigError

TAUGHT = {"teacher": TEACHER, "tree": FIT, "stack": stack("teacher", "tree"), "student": student("stack")}
CHOICES = {
    "imputers": {"median": {"method": "median"}},
    "weighers": {"none": {"method": "none"}},
    "resamplers": {"none": {"method": "none"}},
}


def names(splits):
    return [split.name for split in splits]


def shipped():
    made = plan(TAUGHT, export=["student"], k=4)
    made.config.update(CHOICES, seed=3)
    made.config["folds"]["stop"] = 0.15
    return made


def test_a_job_of_all_splits_makes_those_that_are_needed_and_any_other_its_own():
    made = plan(TAUGHT, export=["student"], k=4)
    assert names(inputs.job_splits(made, "all", "d", model="student")) == ["none", "0", "1", "2", "3"]
    assert names(inputs.job_splits(made, "0+2", "d", model="tree")) == ["0+2"]
    chain = {"imputer": "median", "weigher": "none", "resampler": "none"}
    assert names(inputs.job_splits(made, "all", "d", **chain)) == made.model_splits("d", "tree")


@pytest.mark.parametrize("split", ["7", "2+0", "0+1+2+3", "0+0"])
def test_a_split_that_there_is_not_is_refused(split):
    with pytest.raises(ConfigError, match="there is no split"):
        inputs.job_splits(plan(TAUGHT, k=4), split, "d", model="tree")


def test_a_student_reads_its_teachers_own_split_and_those_that_did_not_see_a_fold():
    made = plan(TAUGHT, k=4)
    assert inputs.splits_of_sources([made.describe("d", "0")]) == ["0", "0+1", "0+2", "0+3"]
    assert inputs.splits_of_sources([made.describe("d", "none")]) == ["none", "0", "1", "2", "3"]


def test_a_preparation_is_named_by_its_choices_as_far_as_it_goes():
    assert inputs.preparation_wildcards(PREPARE) == {"imputer": "median", "weigher": "none", "resampler": "none"}
    assert inputs.preparation_wildcards({"impute": "knn", "weigh": "logistic"}) == {"imputer": "knn", "weigher": "logistic"}


def test_models_are_found_by_the_rules_that_make_them():
    made = plan(TAUGHT, k=4)
    assert inputs.models_made_by(made, "stack") == ["stack"]
    assert inputs.models_made_by(made, "train", "distill") == ["teacher", "student", "studenttwin"]


def test_the_pipeline_of_a_stack_needs_itself_and_its_members():
    made = plan(TAUGHT, k=4)
    assert inputs.pipeline_parts(made, ["stack"]) == {"stack": True, "teacher": False, "tree": False}
    assert inputs.pipeline_parts(made, ["student"]) == {"student": False}


def test_synthetic_rows_are_drawn_where_they_are_described_and_learned_from():
    told = {"teacher": TEACHER, "student": student("teacher")}
    told["student"]["distill"] = {**told["student"]["distill"], "transfer": ["synthetic"]}
    synthetic = {"synthetic": {"method": "swap", "share": 1}}
    assert inputs.uses_synthetic_rows(plan(told, dataset=synthetic), "d")
    assert not inputs.uses_synthetic_rows(plan(told), "d")
    assert not inputs.uses_synthetic_rows(plan(TAUGHT, dataset=synthetic), "d")


def test_a_column_wise_imputer_runs_the_methods_of_all_its_imputers():
    options = {"method": "columns", "each": {"age": {"method": "knn"}}, "rest": {"method": "median"}}
    files = inputs.method_files("imputers", options)
    assert [f"{file.parent.name}/{file.name}" for file in files] == [
        f"imputers/{name}.py" for name in ("columns", "knn", "median")
    ]


def test_a_shipped_model_is_made_again_by_the_options_and_methods_of_every_step():
    steps = inputs.shipped_steps(shipped(), "d", "student")
    assert steps["imputer"] == {"method": "median"} and steps["model"]["teacher"] == "stack"
    assert (steps["stop"], steps["split"]["name"]) == (0.15, "none")
    files = inputs.files_of_shipped_steps(shipped(), "d", "student")
    assert [f"{file.parent.name}/{file.name}" for file in files] == [
        "imputers/median.py",
        "weighers/none.py",
        "resamplers/none.py",
        "architectures/mlp.py",
    ]


def test_a_recipe_has_the_settings_of_a_model_and_of_all_that_it_learns_from():
    found = inputs.recipe(shipped(), "d", "student")
    assert set(found["models"]) == {"student", "stack", "teacher", "tree"}
    assert found["imputers"] == CHOICES["imputers"] and found["seed"] == 3


def test_tables_at_addresses_and_in_libraries_have_no_file():
    tables = {"train": ["a.csv", "https://host/b.csv"], "test": "sklearn:iris"}
    assert inputs.table_files(plan(TAUGHT, dataset=tables, k=4), "d") == ["a.csv"]


def test_a_forest_is_fitted_on_several_cores_and_a_line_on_one():
    made = plan({name: {"prepare": PREPARE, "fit": {"method": name}} for name in ("forest", "logistic")})
    methods = SCHEMA["$defs"]["methods"]
    assert [inputs.cores(made, methods, name) for name in made.models] == [inputs.MOST_CORES, 1]
