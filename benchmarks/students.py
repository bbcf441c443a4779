"""What students keep of their teacher on ten tables, and what they cost, for docs/benchmarks.md.

    python benchmarks/students.py TABLES FOLDER [phoneme …] [alpha=0.5 …] [synthetic=3]

TABLES is the folder that stands for data/; FOLDER keeps the results, so that a second call takes them up. The teacher is a
stack of boosted trees, a forest and a network; the student has the default settings but for those that are given. Beside
it stand its twin, which learns from labels alone, and the same student with what the stack of a split says of the very rows
that it learned from. With `synthetic` the student also learns from so many synthetic rows for each labelled row, and there
is no student in-sample. Gaps are in AUC on held-out rows, with 95 % intervals over the same
bootstrap draws. Costs are those of the models of split 0 as ONNX on one core.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.columns import FOLD, LABEL, ROW
from stillhouse.config.checks.configuration import checked
from stillhouse.config.settings import load_schema
from stillhouse.distillation.soft_targets import USUAL_ALPHA
from stillhouse.ensembles.pipeline import SinglePipeline, StackedPipeline
from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.ensembles.stacking import as_scores
from stillhouse.evaluation.comparison import main_draws
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.intake.task import Task
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.predictions import prediction_table
from stillhouse.seeds import derive
from stillhouse.shipping.export import exported, metadata
from stillhouse.shipping.footprint import file_footprint
from stillhouse.tables import read_fitted, read_json, read_split

# Chosen before any of them was looked at: eight of two classes, one of five and one of 26, from 768 to 20,000 rows.
TABLES = (
    *("german-credit", "heart-disease", "higgs-sample", "hr-job-change", "letter-recognition"),
    *("mammography", "phoneme", "pima-diabetes", "telco-churn", "titanic"),
)
IMPUTERS = {"boosted": "none", "forest": "median", "network": "median"}
MEMBERS = {
    "boosted": {"prepare": {"impute": "none"}, "fit": {"method": "boosting"}},
    "forest": {"fit": {"method": "forest"}},
    "network": {"train": {"method": "mlp"}},
}
SYNTHETIC = "synthetic"
SETTINGS, FOLDS, SEED = {"draws": 1000, "level": 0.95, "precision": 0.9, "quantile": 0.5}, 4, 1


def dataset_of(name):
    """Return a table's entry of the configuration, with the five classes of heart disease and no given test rows."""
    dataset = yaml.safe_load((REPOSITORY / "tests" / "tables" / f"{name}.yaml").read_text())
    if "test" in dataset:
        dataset["train"] = [dataset["train"], dataset.pop("test")]
    if name == "heart-disease":
        del dataset["labels"], dataset["positive"]
    return dataset


def labelled_table(name, tables):
    """Return the labelled rows of a table, given test rows among them, under their raw names and with a column ``target``."""
    described = dataset_of(name)
    files = described["train"] if isinstance(described["train"], list) else [described["train"]]
    described["train"] = [str(Path(tables) / file.removeprefix("data/")) for file in files]
    config = checked({"datasets": {"table": described}, "models": {"m": {"fit": {"method": "tree"}}}}, load_schema())
    rows, schema = load(config["datasets"]["table"], np.random.default_rng(0))
    columns = {column["name"]: column["source"] for column in feature_columns(schema)}
    labels = np.array(schema["classes"])[rows[LABEL].astype(int)] if schema["classes"] else rows[LABEL].to_numpy()
    return rows[list(columns)].rename(columns=columns).assign(target=labels)


def seconds_of_run(folder):
    """Return the seconds in which the workflow makes all of new.yaml in a folder, with two cores."""
    begin = time.perf_counter()
    make(folder, "new.yaml")
    return time.perf_counter() - begin


def make(folder, configuration, *targets, **options):
    """Have the workflow make targets in a folder, by a configuration that lies there, with two cores."""
    given = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    subprocess.run([*command, "--configfile", folder / configuration, "--cores", "2", *given, "--quiet", "all"], check=True)


def config_of(name, given):
    """Return the configuration of a table; what is given for students may name rows to transfer by."""
    dataset, options = dataset_of(name), {key: value for key, value in given.items() if key != SYNTHETIC}
    if SYNTHETIC in given:
        dataset[SYNTHETIC], options["transfer"] = {"share": given[SYNTHETIC]}, [SYNTHETIC]
    student = {"distill": {"method": "mlp", "teacher": "stack", **options}}
    stack = {"stack": {"method": "linear", "members": list(MEMBERS)}}
    return {
        "seed": SEED,
        "folds": {"k": FOLDS},
        "datasets": {name.replace("-", ""): dataset},
        "models": {**MEMBERS, "stack": stack, "student": student},
    }


def run(name, tables, folder, config):
    """Make all models of a table by the workflow."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(Path(tables).resolve())
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    target = f"results/{name.replace('-', '')}/students.csv"
    files = ["--configfile", folder / "config.yaml", "--cores", "2", "--quiet", "all", "--", target]
    subprocess.run([*command, *files], check=True, stderr=subprocess.DEVNULL)


def run_in(folder, name, tables, config):
    """Make all models of a table in a folder, which is the present one afterwards."""
    run(name, tables, folder, config)
    os.chdir(folder)


class Results:
    """The files of a table that the workflow has made; the present folder is that of the run."""

    def __init__(self, name, config):
        schema = load_schema()
        self.name, self.config, self.path = (
            name.replace("-", ""),
            checked(config, schema),
            Path("results") / name.replace("-", ""),
        )
        self.schema = read_json(self.path / "schema.json")
        self.table, self.folds = (pd.read_parquet(self.path / f"{part}.parquet") for part in ("table", "folds"))
        self.students = pd.read_csv(self.path / "students.csv").set_index("other")
        self.auc = pd.read_csv(self.path / "comparison.csv").set_index("model")["auc"]

    def features(self, imputer, split):
        """Return the prepared rows of a split."""
        return read_split(self.path / f"prepared/impute-{imputer}/split-all/features.parquet", split)

    def whole(self, model, split):
        """Return a fitted model of a split with its preparation."""
        preparations = self.path / f"prepared/impute-{IMPUTERS.get(model, 'median')}/split-all/preparations.joblib"
        fitted = self.path / f"models/{model}/split-all/fitted.joblib"
        return SinglePipeline(read_fitted(preparations, split), read_fitted(fitted, split))

    def stack(self, split):
        """Return the stack of a split."""
        learned = read_json(self.path / "models/stack/split-all/weights.json")[split]
        stacker = Mean().restored(learned | {"weights": [learned["weights"][name] for name in MEMBERS]})
        return StackedPipeline([self.whole(name, split) for name in MEMBERS], stacker, np.ones(len(self.schema["classes"])))

    def draws(self, predictions):
        """Return bootstrap draws of the AUC of held-out predictions."""
        rows = scored(predictions.sort_values(ROW, ignore_index=True), self.table, self.folds)
        return main_draws({"it": rows}, Protocol(Task.of(self.schema), SETTINGS, derive(SEED, self.name)))[0]["it"]

    def in_sample(self):
        """Return held-out predictions of the student that is told what the stack of its split says of its own rows.

        In-sample, every choice on the stop rows is open to the same fault, so the share of the label is the usual one.
        """
        options, n_classes = {**self.config["models"]["student"]["distill"], "alpha": USUAL_ALPHA}, len(self.schema["classes"])
        sets = []
        for split in map(str, range(FOLDS)):
            sample = read_split(self.path / "prepared/impute-median/weigh-none/resample-none/split-all/sample.parquet", split)
            stack = self.stack(split)
            rows = [self.features(IMPUTERS[name], split).set_index(ROW).loc[sample[ROW]].reset_index() for name in MEMBERS]
            told = [as_scores(part.model.predict(own), n_classes) for part, own in zip(stack.members, rows, strict=True)]
            soft = stack.stacker.pooled(np.stack(told), n_classes)
            sets.append(TrainingSet(sample, soft, options, n_classes, derive(SEED, self.name, "student", split)))
        parts = []
        for split, (model, _) in enumerate(train(sets, threads=2, title=f"{self.name}, in-sample")):
            rows = self.folds.loc[self.folds[FOLD] == split, ROW]
            held_out = self.features("median", str(split)).set_index(ROW).loc[rows].reset_index()
            parts.append(prediction_table(rows, model.predict(held_out), self.schema["classes"]))
        return pd.concat(parts, ignore_index=True)

    def cost(self, whole):
        """Return what a model costs as ONNX."""
        table = self.table[[ROW, *(column["name"] for column in feature_columns(self.schema))]]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(exported(whole, metadata(self.schema, whole, self.name, "m", {})))
            return file_footprint(path, table, whole)

    def by_the_workflow(self, whole, rows=30):
        """Return the median milliseconds that the workflow takes to predict a row by a model, preparation inside."""
        taken = []
        for place in range(rows):
            begin = time.perf_counter()
            whole.predict(self.table.iloc[[place]])
            taken.append(1000 * (time.perf_counter() - begin))
        return float(np.median(taken))


def gap(value, draws):
    """Return a gap with its interval."""
    low, high = np.quantile(draws, [(1 - SETTINGS["level"]) / 2, (1 + SETTINGS["level"]) / 2])
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})"


def lines_of(name, found):
    """Return a table's line of scores and its line of costs."""
    by_model = {
        model: pd.read_parquet(found.path / f"models/{model}/predictions.parquet") for model in ("student", "studenttwin")
    }
    drawn = {model: found.draws(rows) for model, rows in by_model.items()}
    student, stack = found.auc["student"], found.auc["stack"]
    scores = [name, f"{stack:.4f}", f"{student:.4f}", f"{100 * student / stack:.1f} %", f"{found.auc['studenttwin']:.4f}"]
    scores.append(gap(student - found.auc["studenttwin"], drawn["student"] - drawn["studenttwin"]))
    if found.config["models"]["student"]["distill"]["transfer"]:
        scores += ["", ""]
    else:
        inside = found.draws(found.in_sample())
        within = float(np.mean(inside))
        scores += [f"{within:.4f}", gap(float(np.mean(drawn["student"])) - within, drawn["student"] - inside)]
    whole = {"student": found.whole("student", "0"), "stack": found.stack("0")}
    costs = {model: found.cost(part) for model, part in whole.items()}
    times = [costs[model]["milliseconds"] for model in whole]
    footprints = [name, f"{costs['student']['bytes']:,}", f"{costs['stack']['bytes']:,}", f"{costs['student']['parameters']:,}"]
    footprints += [f"{times[0]['median']:.3f}, {times[0]['p99']:.3f}", f"{times[1]['median']:.3f}, {times[1]['p99']:.3f}"]
    footprints += [
        f"{times[1]['median'] / times[0]['median']:.1f}",
        f"{found.by_the_workflow(whole['stack']) / times[0]['median']:.0f}",
    ]
    return f"| {' | '.join(scores)} |", f"| {' | '.join(footprints)} |"


if __name__ == "__main__":
    tables, place, *arguments = sys.argv[1:]
    given = {key: yaml.safe_load(value) for key, value in (argument.split("=", 1) for argument in arguments if "=" in argument)}
    print("| table | stack | student | kept | twin | student less twin | in-sample | student less in-sample |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    folder, footprints = Path(place).resolve(), []
    for name in [argument for argument in arguments if "=" not in argument] or TABLES:
        run_in(folder / name, name, tables, config_of(name, given))
        line, footprint = lines_of(name, Results(name, config_of(name, given)))
        footprints.append(footprint)
        print(line, flush=True)
    titles = ("table", "student bytes", "stack bytes", "student parameters", "student ms, p99", "stack ms, p99", "times faster")
    print(f"\n| {' | '.join(titles)} | than the workflow |", "|---|---|---|---|---|---|---|---|", *footprints, sep="\n")
