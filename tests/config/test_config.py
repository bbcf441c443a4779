"""The door: what cannot be run is refused in one line that names the key and the nearest right one."""

import copy

import pytest
from conftest import methods

from stillhouse.config.checks.configuration import checked
from stillhouse.config.completion import ConfigError, resolve
from stillhouse.config.dataset import embargo_of, presentable
from stillhouse.config.settings import method_names

GOOD = {
    "datasets": {"cancer": {"train": "table.csv", "target": "diagnosis"}},
    "imputers": {"near": {"method": "knn", "neighbors": 3}},
    "models": {
        "tree": {"fit": {"method": "tree"}},
        "boosted": {"prepare": {"impute": "none"}, "fit": {"method": "boosting"}},
        "teacher": {"prepare": {"impute": "near"}, "train": {"method": "mlp"}},
        "stack": {"stack": {"method": "linear", "members": ["tree", "teacher"]}},
        "student": {"distill": {"method": "mlp", "teacher": "stack"}},
        "nearest": {"fit": {"method": "knn"}},
    },
}


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("age,diagnosis\n1,ill\n")
    (tmp_path / "semicolons.csv").write_text("age;diagnosis\n1;ill\n")
    (tmp_path / "other.csv").write_text("aged,diagnosis\n1,ill\n")
    (tmp_path / "latin.csv").write_bytes("größe,diagnosis\n1,ill\n".encode("latin-1"))
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()


def changed(path, value):
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return config


def test_defaults_are_filled_in_at_every_level(schema):
    config = checked(GOOD, schema)
    assert config["folds"] == {"k": 5, "repeats": 1, "stop": 0.15}
    assert config["models"]["student"]["distill"]["alpha"] == "auto"
    assert config["imputers"]["near"]["scale"] == "auto"
    assert config["imputers"]["median"]["method"] == "median"


def test_the_order_of_keys_does_not_matter(schema):
    turned = {key: dict(reversed(value.items())) for key, value in reversed(GOOD.items())}
    assert str(checked(turned, schema)) == str(checked(GOOD, schema))


def test_the_given_configuration_is_left_alone(schema):
    before = copy.deepcopy(GOOD)
    checked(GOOD, schema)
    assert before == GOOD


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("sed", 1, "sed: no such key; did you mean 'seed'?"),
        ("datasets.cancer.taget", "x", "datasets.cancer.taget: no such key; did you mean 'target'?"),
        ("models.tree.fitt", {}, "models.tree.fitt: no such key; did you mean 'fit'?"),
        ("models.tree.fit.dept", 3, "models.tree.fit.dept: no such key; did you mean 'depth'?"),
        ("models.tree.fit.search", {"dept": [3]}, "models.tree.fit.search.dept: tree has no such setting; did you mean 'depth'?"),
        ("models.tree.fit.search", {"depth": [3, 0]}, "models.tree.fit.search.depth: 0 is less than the minimum of 1"),
        ("models.tree.fit.search", {"depth": 3}, "models.tree.fit.search.depth: 3 is no list; write [3]"),
        ("models.tree.fit", {"method": "tree", "boost": 3, "search": {"depth": [3]}}, "models.tree.fit.search: cannot be combined with `boost`"),
        ("models.tree.fit.depth", 0, "models.tree.fit.depth: 0 is less than the minimum of 1"),
        ("models.tree.fit.method", "tre", "models.tree.fit.method: no method is called 'tre'; did you mean 'tree'?"),
        ("models.teacher.train.method", "svm", "models.teacher.train.method: no method is called 'svm'; there are attention, cnn, mlp, resnet, resnet2d, rnn, textcnn, transformer, wordbag"),
        ("models.tree.prepare", {"impute": "nere"}, "models.tree.prepare.impute: no choice or method is called 'nere'; did you mean 'near'?"),
        ("imputers.near.neighbours", 3, "imputers.near.neighbours: no such key; did you mean 'neighbors'?"),
        ("imputers.near.method", "nearest", "imputers.near.method: no method is called 'nearest'"),
        ("models.stack.stack.members", ["tree", "teachr"], "models.stack.stack.members: no model is called 'teachr'; did you mean 'teacher'?"),
        ("models.student.distill.teacher", "tee", "models.student.distill.teacher: no model is called 'tee'; did you mean 'tree'?"),
        ("models.student.distill.teacher", "student", "models.student: learns from itself: student → student"),
        ("models.stack.stack.members", ["tree", "student"], "models.stack: learns from itself: stack → student → stack"),
        ("models.student.distill", {"method": "mlp"}, "models.student.distill.teacher: is missing"),
        ("models.studenttwin", {"fit": {"method": "tree"}}, "models.studenttwin: this name is kept for what 'student' is compared with"),
        ("models.My_model", {"fit": {"method": "tree"}}, "models.My_model: names are lower-case letters and digits"),
        ("models.both", {"fit": {"method": "tree"}, "train": {"method": "mlp"}}, "models.both: a model has exactly one of"),
        ("models.logit", {"prepare": {"impute": "none"}, "fit": {"method": "logistic"}}, "models.logit.prepare.impute: logistic cannot learn from gaps"),
        ("models.boosted.prepare.resample", "smote", "models.boosted.prepare.resample: smote cannot work on gaps"),
        ("models.tree.prepare", {"weigh": "logistic"}, "models.tree.prepare.weigh: logistic needs deploy rows, and datasets.cancer has none"),
        ("datasets.cancer.train", "tabel.csv", "datasets.cancer.train: there is no file 'tabel.csv'; did you mean 'table.csv'?"),
        ("datasets.cancer.target", "diagnose", "datasets.cancer.target: table.csv has no column 'diagnose'; did you mean 'diagnosis'?"),
        ("datasets.cancer.sets_by", "agee", "datasets.cancer.sets_by: table.csv has no column 'agee'; did you mean 'age'?"),
        ("datasets.cancer.sets_by", "diagnosis", "datasets.cancer.sets_by: 'diagnosis' is the target, unknown of new rows"),
        ("datasets.cancer.embargo", 7, "datasets.cancer.embargo: is a distance in time, and the dataset has no `time`"),
        ("report.penalty", 0.1, "report.penalty: makes sets of aps smaller; set `sets: aps`"),
        ("datasets.cancer.drop", ["agee"], "datasets.cancer.drop: table.csv has no column 'agee'; did you mean 'age'?"),
        ("datasets.cancer.labels", {True: "ill"}, "datasets.cancer.labels.True: YAML reads the words yes, on and true as true"),
        ("datasets.cancer.positive", True, "datasets.cancer.positive: YAML reads the words yes, on and true as true; write the word in quotes"),
        ("datasets.cancer.drop", "age", "datasets.cancer.drop: 'age' is no list; write [age]"),
        ("datasets.cancer.drop", ["diagnosis"], "datasets.cancer.drop: 'diagnosis' is the target"),
        ("datasets.cancer.train", "folder", "datasets.cancer.train: the folder 'folder' has no file in it"),
        ("datasets.cancer.train", "empty.csv", "datasets.cancer.train: empty.csv: the file is empty"),
        ("datasets.cancer.train", "semicolons.csv", "datasets.cancer.train: 'semicolons.csv' has one column, 'age;diagnosis'; set `separator: ';'`"),
        ("datasets.cancer.train", "latin.csv", "datasets.cancer.train: latin.csv: is not in utf-8; save it as UTF-8, or name its encoding"),
        ("datasets.cancer.deploy", "other.csv", "datasets.cancer.deploy: other.csv has no column 'age', and table.csv has; did you mean 'aged'?"),
        ("datasets.cancer", {"target": "diagnosis"}, "datasets.cancer.train: is missing"),
        ("models.tree", {"fit": "tree"}, "models.tree.fit: 'tree' has no keys; write it like {key: value}"),
        ("models.teacher.train.rate", "1e-3", "models.teacher.train.rate: '1e-3' is text, not a number; write it without quotes, and 0.001 for 1e-3"),
        ("models.teacher.train.rate", -1, "models.teacher.train.rate: -1 is less than or equal to the minimum of 0, or write auto"),
        ("models.teacher.train.optimizer", "adm", "models.teacher.train.optimizer: 'adm' is not one of ['sgd', 'momentum',"),
        ("models.teacher.train.batch", 1, "models.teacher.train.batch: 1 is less than the minimum of 2, or write auto"),
        ("models.teacher.train.width", -3, "models.teacher.train.width: -3 is less than the minimum of 1"),
        ("models.teacher.train.dropout", [0.1, 0.2, 0.3], "models.teacher.train.dropout: 3 rates for 2 layers; give one number"),
        ("models.teacher.train.dropout", 1.5, "models.teacher.train.dropout: The share of units that are dropped in each step, from 0 to below 1"),
        ("models.teacher.train", {"method": "attention", "attention_heads": 5}, "models.teacher.train.word_width: 64 numbers cannot be shared by 5"),
        ("models.teacher.train", {"method": "transformer", "attention_heads": 5}, "models.teacher.train.embedding: 32 numbers cannot be shared by 5"),
        ("models.teacher.train.warmup", 200, "models.teacher.train.warmup: 200 of 200 epochs leave none to train with"),
        ("models.teacher.train", {"method": "mlp", "schedule": "cyclic", "cycles": 300}, "models.teacher.train.cycles: 300 cycles do not divide 200 epochs"),
        ("models.teacher.train", {"method": "mlp", "schedule": "cyclic", "snapshots": 9}, "models.teacher.train.snapshots: 9 networks from 5 cycles"),
        ("models.teacher.train", {"method": "resnet", "norm": "batch", "devices": 2}, "models.teacher.train.devices: batch norm would see a part of each batch"),
        ("models.teacher.train", {"method": "mlp", "mixup": 0.2, "devices": 2}, "models.teacher.train.devices: mixup would mix within a part"),
        ("models.teacher.train.rates", {"inputs": 0, "body": 0, "head": 0}, "models.teacher.train.rates: every part is frozen"),
        ("models.teacher.train.rates", {"hed": 0}, "models.teacher.train.rates.hed: no such key; did you mean 'head'?"),
        ("models.teacher.train.start", "tee", "models.teacher.train.start: no model is called 'tee'; did you mean 'tree'?"),
        ("models.teacher.train.start", "tree", "models.teacher.train.start: 'tree' is not a network"),
        ("models.teacher.train.start", "student", "models.teacher.train.start: 'student' has a different `prepare`"),
        ("models.student.distill.start", "student", "models.student: learns from itself: student → student"),
        ("models.later", {"prepare": {"impute": "near"}, "train": {"method": "mlp", "width": 9, "start": "teacher"}}, "models.later.train.start: 'teacher' has width 128, this model 9"),
        ("models.stack.stack.members", ["tree"], "models.stack.stack.members: linear combines models; name at least two"),
        ("report", {"reference": "teecher"}, "report.reference: no model is called 'teecher'; did you mean 'teacher'?"),
        ("datasets.cancer.kinds", {"age": "number"}, "datasets.cancer.kinds.age: 'number' is not one of"),
        ("export", ["pupil"], "export: no model is called 'pupil'"),
        ("export", ["nearest"], "export: 'nearest' (knn) cannot be written as ONNX"),
        ("export", ["teacher"], "models.teacher.prepare.impute: knn cannot be written as ONNX exactly"),
        ("splits", "both", "splits: 'both' is not one of ['together', 'apart']"),
        ("folds.k", 1, "folds.k: 1 is less than the minimum of 3"),
        ("folds.k", 3, "folds.k: 3 folds are too few for student, which learns from models that learn from models"),
        ("models", {}, "models:"),
        ("models.teacher.train.words", "onehot", "models.teacher.train.words: is called 'categorical' now; rename it"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(schema, path, value, said):
    with pytest.raises(ConfigError) as error:
        checked(changed(path, value), schema)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_regression_cannot_be_balanced(schema):
    config = changed("datasets.cancer.task", "regression")
    config["models"]["tree"]["prepare"] = {"resample": "over"}
    with pytest.raises(ConfigError, match=r"models.tree.prepare.resample: over balances classes"):
        checked(config, schema)


def test_classes_have_no_weights_by_value_and_a_regression_may(schema):
    config = changed("datasets.cancer.task", "binary")
    config["models"]["tree"]["prepare"] = {"resample": "rare"}
    with pytest.raises(ConfigError, match=r"models.tree.prepare.resample: rare weighs rows by their value"):
        checked(config, schema)
    config["datasets"]["cancer"]["task"] = "regression"
    checked(config, schema)


@pytest.mark.parametrize(
    ("time", "embargo", "said"),
    [
        ("age", "a week", "'a week' is no duration; write it as 7 days"),
        ("age", "0 days", "'0 days' is no duration"),
        (True, "2 days", "the rows are in the order of the file; state a number of rows"),
        (True, -1, "-1 is less than or equal to the minimum of 0"),
    ],
)
def test_an_embargo_that_is_none_is_refused(schema, time, embargo, said):
    config = changed("datasets.cancer.time", time)
    config["datasets"]["cancer"]["embargo"] = embargo
    with pytest.raises(ConfigError, match=r"datasets.cancer.embargo: ") as error:
        checked(config, schema)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("stated", "seconds"), [("7 days", 604_800), ("1.5 hours", 5_400), ("2weeks", 1_209_600), (3, 3), (2.5, 2.5)]
)
def test_an_embargo_is_a_number_or_a_duration(stated, seconds):
    assert embargo_of({"embargo": stated}) == seconds
    assert embargo_of({}) == 0


def test_sets_by_the_group_and_a_learning_curve_of_what_is_read_are_refused(schema):
    config = changed("datasets.cancer.sets_by", "age")
    config["datasets"]["cancer"]["group"] = "age"
    with pytest.raises(ConfigError, match=r"datasets.cancer.sets_by: 'age' is the group, of which a new row has another"):
        checked(config, schema)
    config = changed("report.halvings", 1)
    assert checked(config, schema)["report"]["halvings"] == 1
    config["models"]["theirs"] = {"read": {"method": "external", "table": "table.csv", "held_out": "fold"}}
    config["models"]["stack"]["stack"]["members"].append("theirs")
    config["report"]["reference"] = "stack"
    with pytest.raises(ConfigError, match=r"report.halvings: 'theirs' is read, and is the same however few rows there are"):
        checked(config, schema)


@pytest.mark.parametrize(
    "imputer",
    [
        {"method": "hotdeck"},
        {"method": "iterative", "draw": True},
        {"method": "columns", "each": {"age": "drawn"}},
    ],
)
def test_imputations_need_an_imputer_that_draws(schema, imputer):
    config = changed("report.imputations", 5)
    with pytest.raises(ConfigError, match=r"report.imputations: gaps of .* are filled with the same values each time; choose"):
        checked(config, schema)
    config["imputers"] = {**config.get("imputers", {}), "drawn": {"method": "hotdeck"}, "mine": imputer}
    for model in config["models"].values():
        if not {"stack", "read"} & set(model):
            model["prepare"] = {**model.get("prepare", {}), "impute": "mine"}
    assert checked(config, schema)["report"]["imputations"] == 5


@pytest.mark.parametrize(("key", "value"), [("loss", "cross_entropy"), ("loss", "focal"), ("smoothing", 0.1)])
def test_a_regression_has_neither_cross_entropy_nor_smoothed_labels(schema, key, value):
    config = changed("datasets.cancer.task", "regression")
    config["models"]["teacher"]["train"][key] = value
    with pytest.raises(ConfigError, match=f"models.teacher.train.{key}: "):
        checked(config, schema)


@pytest.mark.parametrize("kind", ["imputers", "weighers", "resamplers", "estimators", "architectures", "stackers", "readers"])
def test_the_folder_of_a_kind_and_the_schema_name_the_same_methods(schema, kind):
    assert sorted(method_names(schema["$defs"]["methods"][kind])) == methods(kind)


def test_every_key_of_the_schema_has_a_sentence(schema):
    def undescribed(part, path):
        for key, value in part.get("properties", {}).items():
            if "description" not in value and "$ref" not in value and "properties" not in value:
                yield f"{path}.{key}"
            yield from undescribed(value, f"{path}.{key}")

    kinds = schema["$defs"]["methods"].values()
    options = [method.get("options", {}) for kind in kinds for name, method in kind.items() if name != "any"]
    assert all("description" in resolve(option, schema) for group in options for option in group.values())
    assert all("description" in method for kind in kinds for name, method in kind.items() if name != "any")
    assert list(undescribed(schema["$defs"]["dataset"], "dataset")) == []


def test_what_is_shown_of_a_configuration_names_neither_password_nor_home():
    address, home = "https://me:secret@host:8443/a%20b/rows.csv?key=secret#x", "/home/me/later.csv"
    dataset = {
        "train": [address, "data/own.csv", "../me/x.csv"],
        "deploy": home,
        "batches": {"share": 0.2},
        "sha256": {address: "0" * 64},
    }
    models = {
        "theirs": {"read": {"method": "external", "table": "/home/me/{dataset}.csv"}},
        "tree": {"fit": {"method": "tree"}},
    }
    found = presentable({"datasets": {"d": dataset}, "models": models, "seed": 1})
    assert found["datasets"]["d"] == {
        "train": ["https://host:8443/a%20b/rows.csv", "data/own.csv", "x.csv"],
        "deploy": "later.csv",
        "batches": {"share": 0.2},
        "sha256": {"https://host:8443/a%20b/rows.csv": "0" * 64},
    }
    assert found["models"] == {
        "theirs": {"read": {"method": "external", "table": "{dataset}.csv"}},
        "tree": {"fit": {"method": "tree"}},
    }
    assert dataset["deploy"] == home


def test_numbers_from_the_command_line_are_numbers(schema):
    """Snakemake hands over --config 'folds={k: 4}' as text."""
    folds = checked({**GOOD, "folds": {"k": "4", "stop": "0.2"}}, schema)["folds"]
    assert (folds["k"], folds["stop"]) == (4, 0.2)
