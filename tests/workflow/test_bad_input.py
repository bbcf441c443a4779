"""Every mistake ends with its own message and exit code 1, before anything is trained, and leaves nothing half-written."""

import gzip

import numpy as np
import pytest
from conftest import Run
from raw_tables import good_table

pytestmark = pytest.mark.workflow


CSV = good_table().to_csv(index=False)


LINES = CSV.splitlines()


def with_line(number, line):
    """The good table with another line, as text."""
    return "\n".join([*LINES[:number], line, *LINES[number + 1 :]]) + "\n"


def config(dataset=(), model=(), **sections):
    return {
        "datasets": {"d": {"train": "table.csv", "target": "ill", **dict(dataset)}},
        "models": {"m": {"fit": {"method": "logistic"}, **dict(model)}},
        **sections,
    }


TREE, NET = {"fit": {"method": "tree"}}, {"train": {"method": "mlp", "epochs": 1}}


STUDENT = {"distill": {"method": "mlp", "teacher": "stack"}}


def student(**given):
    """A network that is taught by m."""
    return {"distill": {"method": "mlp", "teacher": "m", "epochs": 1, **given}}


READ = {"read": {"method": "external", "table": "table.csv"}}


STACKED = {"m": TREE, "net": NET, "stack": {"stack": {"method": "mean", "members": ["m", "net"]}}}


DOOR = {
    "an unknown section": (config(modles={}), "modles: no such key; did you mean 'models'?"),
    "an unknown key of a dataset": (config({"taget": "ill"}), "datasets.d.taget: no such key; did you mean 'target'?"),
    "a method that is none": (config(model={"fit": {"method": "logistik"}}), "models.m.fit.method: no method is called 'logistik'; did you mean 'logistic'?"),
    "a word for a number": (config(model={"fit": {"method": "logistic", "penalty": "little"}}), "models.m.fit.penalty: 'little' is text, not a number"),
    "a negative width": (config(models={"net": {"train": {"method": "mlp", "width": -3}}}), "models.net.train.width: -3 is less than the minimum of 1"),
    "two verbs": (config(model={"train": {"method": "mlp"}}), "models.m: a model has exactly one of"),
    "a name with capitals": (config(models={"My": TREE}), "models.My: names are lower-case letters and digits"),
    "a model that learns from itself": (config(models={"s": {"distill": {"method": "mlp", "teacher": "s"}}}), "models.s: learns from itself: s → s"),
    "an unknown member": (config(models={**STACKED, "stack": {"stack": {"method": "mean", "members": ["m", "nett"]}}}), "models.stack.stack.members: no model is called 'nett'; did you mean 'net'?"),
    "a student without teacher": (config(models={"s": {"distill": {"method": "mlp"}}}), "models.s.distill.teacher: is missing"),
    "a name that a twin has": (config(models={**STACKED, "s": STUDENT, "stwin": TREE}), "models.stwin: this name is kept for what 's' is compared with"),
    "too few folds": (config(folds={"k": 2}), "folds.k: 2 is less than the minimum of 3"),
    "too few folds for the chain": (config(models={**STACKED, "s": STUDENT}, folds={"k": 3}), "folds.k: 3 folds are too few for s"),
    "gaps for a model that takes none": (config(model={"prepare": {"impute": "none"}}), "models.m.prepare.impute: logistic cannot learn from gaps"),
    "gaps for a resampler that takes none": (config(models={"m": {**TREE, "prepare": {"impute": "none", "resample": "smote"}}}), "models.m.prepare.resample: smote cannot work on gaps"),
    "weights without deploy rows": (config(model={"prepare": {"weigh": "kmm"}}), "models.m.prepare.weigh: kmm needs deploy rows"),
    "balancing a regression": (config({"task": "regression", "target": "age"}, {"prepare": {"resample": "over"}}), "models.m.prepare.resample: over balances classes"),
    "a share above one": (config(imputers={"few": {"method": "median", "columns_above": 2}}), "imputers.few.columns_above: 2 is greater than the maximum of 1"),
    "an unknown encoder of texts": (config(imputers={"few": {"method": "median", "texts": {"method": "ngram"}}}), "imputers.few.texts.method: no method is called 'ngram'; did you mean 'ngrams'?"),
    "an encoder without a size": (config(imputers={"few": {"method": "median", "texts": {"method": "ngrams", "size": 0}}}), "imputers.few.texts.size: 0 is less than the minimum of 1"),
    "a group of no column": (config(imputers={"g": {"method": "group"}}), "imputers.g.by: is missing"),
    "a column given to what fills none": (config(imputers={"c": {"method": "columns", "each": {"age": "drop"}}}), "imputers.c.each.age: drop fills no single column"),
    "an export that cannot be": (config(model={"fit": {"method": "tree", "boost": 5}}, export=["m"]), "export: 'm' (tree) cannot be written as ONNX: votes of boosted models cannot be written"),
    "an export of a stack with such a member": (config(models={**STACKED, "m": {"fit": {"method": "tree", "boost": 5}}}, export=["stack"]), "export: 'm' (tree) cannot be written as ONNX"),
    "an export of steps": (config(models={"m": {"fit": {"method": "tree"}}, "steps": {"stack": {"method": "isotonic", "members": ["m"]}}}, export=["steps"]), "export: 'steps' (isotonic) cannot be written as ONNX: its step functions"),
    "two models to calibrate": (config(models={**STACKED, "stack": {"stack": {"method": "platt", "members": ["m", "net"]}}}), "models.stack.stack.members: platt calibrates one model; name one"),
    "a stack of one": (config(models={**STACKED, "stack": {"stack": {"method": "greedy", "members": ["m"]}}}), "models.stack.stack.members: greedy combines models; name at least two"),
    "a bag of native words": (config(model={"fit": {"method": "boosting", "native": True, "bag": 5}}), "models.m.fit.native: cannot be combined with `bag`"),
    "an export of native words": (config(model={"fit": {"method": "boosting", "native": True}}, export=["m"]), "export: 'm' (boosting) cannot be written as ONNX: its sets of categories"),
    "a control that is no model": (config(report={"control": ["mm"]}), "report.control: no model is called 'mm'; did you mean 'm'?"),
    "a boosted bag": (config(model={"fit": {"method": "tree", "boost": 5, "bag": 5}}), "models.m.fit.boost: cannot be combined with `bag`; leave one of them out"),
    "a boosted regression": (config(dataset={"train": "sklearn:diabetes", "target": "target", "task": "regression"}, model={"fit": {"method": "tree", "boost": 5}}), "models.m.fit.boost: votes are for classes, and datasets.d is a regression"),
    "an export of what others predicted": (config(models={"m": TREE, "theirs": READ}, export=["theirs"]), "export: 'theirs' (external) cannot be written as ONNX: it is a table of predictions and no model"),
    "predictions that are not there": (config(models={"m": TREE, "theirs": {"read": {"method": "external", "table": "{dataset}.csv"}}}), "models.theirs.read.table: there is no file 'd.csv'"),
    "a preparation of what others predicted": (config(models={"theirs": {**READ, "prepare": {}}}), "models.theirs.prepare: a model under read has no preparation of its own"),
    "a student that cannot learn": (config(models={**STACKED, "s": {"distill": {"method": "mean", "teacher": "stack"}}}), "models.s.distill.method: no method is called 'mean'"),
    "a temperature for a tree": (config(models={"m": TREE, "s": {"distill": {"method": "tree", "teacher": "m", "temperature": 2}}}), "models.s.distill.temperature: no such key"),
    "a share of the label above one": (config(models={"m": TREE, "s": {"distill": {"method": "tree", "teacher": "m", "alpha": 1.5}}}), "models.s.distill.alpha: 1.5 is greater than the maximum of 1, or write auto"),
    "an unknown second teacher": (config(models={"m": TREE, "s": {"distill": {"method": "tree", "teacher": ["m", "n"]}}}), "models.s.distill.teacher: no model is called 'n'"),
    "transfer rows that there are none of": (config(models={"m": TREE, "s": student(transfer=["deploy"])}), "models.s.distill.transfer: deploy rows are asked for, and datasets.d has none"),
    "synthetic rows that nobody draws": (config(models={"m": TREE, "s": student(transfer=["synthetic"])}), "models.s.distill.transfer: synthetic rows are asked for, and datasets.d has none; it needs `synthetic: {method: swap}`"),
    "synthetic rows that nobody predicted": (config({"synthetic": {}}, models={"m": READ, "s": student(transfer=["synthetic"])}), "models.s.distill.transfer: the table of 'm' has no predictions of synthetic rows"),
    "synthetic rows that a member has not": (config({"synthetic": {}}, models={"m": TREE, "theirs": READ, "stack": {"stack": {"method": "mean", "members": ["m", "theirs"]}}, "s": student(transfer=["synthetic"])}), "models.stack.stack.members: a student learns from synthetic rows, which the table of 'theirs' does not predict"),
    "hints of a tree": (config(models={"m": TREE, "s": student(hints=1)}), "models.s.distill.hints: hints come from one network's last hidden layer"),
    "hints of mixed rows": (config(models={"m": NET, "s": student(hints=1, mixup=0.2)}), "models.s.distill.mixup: cannot be combined with `hints`"),
    "a tree that is to be followed": (config({"batches": {"share": 0.3, "count": 2}}, export=["m"]), "export: 'm' is to be followed through later batches, which only networks are"),
    "an export after knn": (config(models={"net": {**NET, "prepare": {"impute": "knn"}}}, export=["net"]), "models.net.prepare.impute: knn cannot be written as ONNX exactly"),
    "batches that nobody follows": (config({"batches": {"share": 0.3, "count": 2}}), "datasets.d.batches: exported models are followed through them"),
    "a share that cuts groups": (config({"batches": {"share": 0.3, "count": 2}, "group": "site"}, export=["m"]), "datasets.d.batches: a share may divide a group"),
    "batches and a challenge": (config({"batches": {"share": 0.3, "count": 2}, "challenge": {}}, export=["m"]), "datasets.d.batches: cannot be combined with `challenge`"),
    "given test rows in time": (config({"test": "table.csv", "time": True}), "datasets.d.test: a given test table cannot be combined with `time` or `group`"),
    "a file that is not there": (config({"train": "tabel.csv"}), "datasets.d.train: there is no file 'tabel.csv'; did you mean 'table.csv'?"),
    "a password in an address": (config({"train": "https://me:secret@host/rows.csv?key=k"}), "datasets.d.train: the address of https://host/rows.csv holds a password, which readers of this file would see; put it into ~/.netrc"),
    "a key in the address of a bucket": (config({"train": "s3://me:secret@bucket/rows.csv"}), "datasets.d.train: s3://… cannot be read; give an https://… or http://… address, or a file"),
    "an address that is none": (config({"train": "https://[me:secret@host/rows.csv"}), "datasets.d.train: this is not a valid address; write one like https://host/path"),
    "predictions behind an address": (config(models={"m": {"read": {"method": "external", "table": "https://host/p.csv?key=secret"}}}), "models.m.read.table: predictions are read from files; fetch https://host/p.csv first"),
    "a file name that is a pattern": (config({"train": "{dataset}.csv"}), "datasets.d.train: Snakemake would take {dataset} in '{dataset}.csv' for a wildcard; rename the file"),
    "a file name that is a path variable": (config({"train": "<results>.csv"}), "datasets.d.train: Snakemake would take <results> in '<results>.csv' for a wildcard"),
    "a folder": (config({"train": "."}), "datasets.d.train: the folder '.' holds 'config.yaml', which is no table"),
    "a target that is no column": (config({"target": "il"}), "datasets.d.target: table.csv has no column 'il'; did you mean 'ill'?"),
    "a target that is dropped": (config({"drop": ["ill"]}), "datasets.d.drop: 'ill' is the target"),
    "deploy rows by the target": (config({"deploy_where": {"ill": ["yes"]}}), "datasets.d.deploy_where: 'ill' is the target"),
    "an encoding that is none": (config({"encoding": "utf-9"}), "there is no encoding 'utf-9'"),
    "a digest that is none": (config({"sha256": {"x": "abc"}}), "datasets.d.sha256.x: 'abc' does not match"),
}  # fmt: skip


FILES = {
    "an empty file": (config(), "", "datasets.d.train: table.csv: the file is empty"),
    "semicolons": (config(), CSV.replace(",", ";"), "set `separator: ';'`"),
    "another encoding": (config(), CSV.replace("site", "größe").encode("latin-1"), "table.csv: is not in utf-8"),
    "a ragged line": (config(), with_line(7, "50,1,north,yes,more,and more"), "line 8"),
    "no rows": (config(), LINES[0] + "\n", "table.csv: the table has no rows"),
    "an infinite value": (config(), with_line(3, "inf,1,north,yes"), "table.csv, row 3: column 'age' is infinite"),
    "a word among numbers": (config(), with_line(5, "old,1,north,yes"), "table.csv, row 5: column 'age' holds 'old' among numbers"),
    "decimal commas": (config({"separator": ";"}), CSV.replace(",", ";").replace(".", ","), "a decimal comma? Then set `decimal: ','`"),
    "one class": (config(), CSV.replace(",yes", ",no"), "target: column 'ill' has only the class no"),
    "three classes for two": (config({"task": "binary"}), with_line(1, "50,1,north,perhaps"), "task: column 'ill' has 3 classes, not two"),
    "a positive class that is none": (config({"positive": "Yes"}), CSV, "positive: there is no class 'Yes'; did you mean 'yes'?"),
    "a label that is none": (config({"labels": {"maybe": "no"}}), CSV, "labels: there is no label 'maybe'"),
    "a kind that does not fit": (config({"kinds": {"site": "numeric"}}), CSV, "kinds: column 'site' holds 'south', which is not a numeric value"),
    "no column left": (config({"drop": ["age", "dose", "site"]}), CSV, "no column is left that a model could learn from"),
    "a value that no row has": (config({"deploy_where": {"site": ["east"]}}), CSV, "deploy_where: column 'site' has no value 'east'"),
    "a batch without rows": (config({"batches": {"share": 0.05, "count": 9}}, models={"m": NET}, export=["m"]), CSV, "batches: batch 2 of 9 has no labelled row; take fewer or larger batches"),
    "a group without value": (config({"group": "dose"}), CSV, "group: column 'dose' has no value in row 1"),
    "sets by more groups than a set is made for": (config({"sets_by": "age"}), CSV, "sets_by: column 'age' has 80 different values; each needs rows enough"),
    "a time that is none": (config({"time": "site"}), CSV, "time: column 'site' is neither a number nor a date in row 1"),
    "a source that is a column": (config({"source": "site"}), CSV, "source: table.csv has a column 'site' already"),
    "a rare class": (config(), good_table().assign(ill=np.arange(80) < 3).to_csv(index=False), "folds.k: class 'True' has 3 different rows, fewer than the 5 folds; lower folds.k to 3"),
    "a broken archive": (config({"train": "table.csv.gz"}), gzip.compress(CSV.encode())[:300], "table.csv.gz: is not a whole gz file"),
    "no Parquet": (config({"train": "table.parquet"}), b"PAR1 and so on", "table.parquet"),
    "a group by an unknown column": (config(model={"prepare": {"impute": "g"}}, imputers={"g": {"method": "group", "by": "sites"}}), CSV, "imputers: group: 'sites' is not a feature here; did you mean 'site'?"),
    "each row with a gap": (config(model={"prepare": {"impute": "drop"}}), "\n".join([LINES[0], *(",".join(["", *line.split(",")[1:]]) if n % 2 else ",".join([line.split(",")[0], "", *line.split(",")[2:]]) for n, line in enumerate(LINES[1:]))]), "impute: drop leaves no training row"),
    "predictions of another class": (config(models={"m": READ}), CSV, "table.csv: there is no column 'row'; the columns must be row, p_no, p_yes"),
    "more neighbours than rows": (config(model={"prepare": {"resample": "s"}}, resamplers={"s": {"method": "smote", "neighbors": 60}}), CSV, "60 neighbors are asked for"),
}  # fmt: skip


def refused(folder, given, content, said):
    """Run a configuration, and check that it ends as a mistake of the user should."""
    run = Run(folder, given)
    place = given["datasets"]["d"]["train"]
    name = place if place.startswith("table.") else "table.csv"
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    run(check=False)
    messages = [line for line in run.printed.splitlines() if line.startswith("stillhouse: ")]
    assert run.code == 1, run.printed[-2000:]
    assert said in messages[-1], run.printed[-2000:]
    assert "Traceback" not in run.printed
    assert not list(folder.rglob("*.part"))
    assert not list(folder.glob("results/d/models/m/**/*.parquet"))
    return run


@pytest.mark.parametrize("mistake", DOOR)
def test_a_mistake_in_the_configuration_is_refused_before_any_job(mistake, tmp_path):
    given, said = DOOR[mistake]
    run = refused(tmp_path, given, CSV, said)
    assert len([line for line in run.printed.splitlines() if not line.startswith("Using workflow")]) == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("mistake", FILES)
def test_a_mistake_in_a_table_is_refused_before_any_training(mistake, tmp_path):
    refused(tmp_path, *FILES[mistake])


def test_every_mistake_has_a_message_of_its_own():
    said = [message for *_, message in [*DOOR.values(), *FILES.values()]]
    assert len(said) == len(set(said)) >= 40
