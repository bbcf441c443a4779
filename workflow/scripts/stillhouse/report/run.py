"""What the report reads: the files of a run."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stillhouse.columns import DEPLOY, FOLD, PART
from stillhouse.config.models import verb
from stillhouse.evaluation.metrics import LESS_IS_BETTER, main_metric
from stillhouse.evaluation.scores import scored
from stillhouse.intake.folds import LEFT_OUT
from stillhouse.intake.task import Task
from stillhouse.splits import NONE
from stillhouse.tables import read_csv, read_json, read_split, read_table

# The columns of `contributions.csv` that hold what a table does, and may look like numbers or gaps.
WORDS_OF_ROWS = ("label", "of", "column", "word", "value")


@dataclass
class Run:
    """The results of one dataset. Dictionaries have an entry for each model.

    ``titles`` has the models' names for readers; ``plain`` maps a resampled model to its counterpart without resampling;
    ``control`` has the metrics of models that were made on shuffled labels, ``constant`` those of the constant model,
    ``shares`` a list of those of the reference model made of one in 2, 4, … rows, and ``imputations`` those pooled over
    imputations. ``rows`` has the scored rows with predictions, ``left_out`` is the number of rows in time that are in no
    block, ``weights`` has the shift weights of split ``none``; ``shown_split`` is the split that stands for all where one is
    shown, ``jobs`` has the time and memory of each job, and ``samples`` facts on the stop rows of each preparation in each
    scored split.
    """

    dataset: str
    config: dict
    models: dict
    titles: dict
    plain: dict
    reference: str
    shown_split: str
    table: pd.DataFrame
    schema: dict
    metrics: dict
    rows: dict
    left_out: int
    comparison: pd.DataFrame
    students: pd.DataFrame
    pairs: pd.DataFrame
    constant: dict
    slices: pd.DataFrame
    groups: pd.DataFrame
    importance: pd.DataFrame | None
    dependence: pd.DataFrame | None
    contributions: pd.DataFrame | None
    maps: pd.DataFrame | None
    surrogate: dict | None
    footprints: dict
    shipped: dict
    control: dict
    shares: list
    imputations: dict | None
    histories: dict
    stack_weights: dict
    drift: dict
    shift: dict | None
    weights: pd.DataFrame | None
    jobs: list
    samples: list

    @property
    def settings(self):
        """The settings of evaluation and report."""
        return self.config["report"]

    @property
    def task(self):
        """The task: its kind and its classes."""
        return Task.of(self.schema)

    @property
    def main(self):
        """The name of the metric that models are compared by."""
        return main_metric(self.task)

    @property
    def more_is_better(self):
        """Whether larger values of the main metric are better."""
        return self.main not in LESS_IS_BETTER

    @property
    def leader(self):
        """The name of the model with the best main metric."""
        return self.comparison["model"].iloc[0]

    def title(self, name):
        """Return the name of a model for readers; other names stay as they are."""
        return self.titles.get(name, name)

    def quoted(self, name):
        """Return the name of a model for sentences, in which names such as "mean" would read as words."""
        return f"“{self.title(name)}”"

    def value(self, name, metric=None, population="held_out"):
        """Return the value of a metric of a model, by default of the main metric on held-out rows."""
        return self.metrics[name][population]["metrics"][metric or self.main]["value"]

    def held_out(self, name):
        """Return the held-out rows of a model, with labels and predictions."""
        return self.rows[name][self.rows[name][PART] != DEPLOY]

    def compared_students(self):
        """Return for each student the names of its teachers and, last, of its twin."""
        return {name: part["other"].tolist() for name, part in self.students.groupby("student", sort=False)}


def read_run(files, params, dataset):
    """Return the run of a dataset; ``files`` and ``params`` are those of the rule ``report``."""
    models, split = params.models, params.shown_split
    table, folds = read_table(files.table), read_table(files.folds)
    return Run(
        dataset=dataset,
        config=params.config,
        models=models,
        titles=params.titles,
        plain=params.plain,
        reference=params.reference,
        shown_split=split,
        table=table,
        schema=read_json(files.schema),
        metrics=read_each(models, files.metrics),
        rows={name: scored(read_table(path), table, folds) for name, path in zip(models, files.predictions, strict=True)},
        left_out=int((folds[FOLD] == LEFT_OUT).sum()),
        comparison=read_csv(files.comparison, keep_default_na=False, na_values=[""]),
        students=read_csv(files.students),
        pairs=read_csv(files.pairs),
        constant=read_json(files.constant),
        slices=read_csv(files.slices),
        groups=read_csv(files.groups),
        **read_explanations(files.explanations),
        footprints=read_json(files.footprints),
        shipped=read_each(params.exported, files.shipped),
        control=read_each(params.controlled, files.control),
        shares=list(map(read_json, files.shares)),
        imputations=read_json(files.imputations) if files.imputations else None,
        histories=histories_by_model(files.histories),
        stack_weights=weights_of_stacks(models, files.stacks, split),
        drift=read_each(params.exported, files.drift) if files.drift else {},
        shift=read_json(files.shift) if files.shift else None,
        weights=read_split(files.weights, NONE) if files.weights else None,
        jobs=job_footprints(params.logs),
        samples=[facts for path in files.ledgers for split, facts in read_json(path).items() if split in params.scored_splits],
    )


def read_explanations(paths):
    """Return the explanations of the reference model by name; None where its predictions are read from a table."""
    names = ("importance", "surrogate", "dependence", "contributions", "maps")
    if not paths:
        return dict.fromkeys(names)
    of = dict(zip(names, paths, strict=True))
    return {
        "importance": read_csv(of["importance"]),
        "surrogate": read_json(of["surrogate"]),
        "dependence": read_csv(of["dependence"], dtype={"name": "str", "column": "str"}, keep_default_na=False),
        "contributions": read_csv(of["contributions"], dtype=dict.fromkeys(WORDS_OF_ROWS, "str"), keep_default_na=False),
        "maps": read_csv(of["maps"], dtype={"of": "str"}, keep_default_na=False),
    }


def read_each(names, paths):
    """Return the content of a JSON file for each name."""
    return dict(zip(names, map(read_json, paths), strict=True))


def weights_of_stacks(models, paths, split):
    """Return the weights of the members of each stack in a split."""
    stacks = [name for name, model in models.items() if verb(model) == "stack"]
    return {name: learned[split]["weights"] for name, learned in read_each(stacks, paths).items()}


def histories_by_model(paths):
    """Return the concatenated histories of each model, whose name is that of the folder above the split's."""
    tables = {}
    for path in map(Path, paths):
        tables.setdefault(path.parts[-3], []).append(read_table(path))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def job_footprints(folder):
    """Return each job from Snakemake's benchmark files, the longest first: its step, seconds, megabytes and when it began."""
    jobs = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        try:
            line = pd.read_csv(path, sep="\t", usecols=["s", "max_rss"]).iloc[-1]
        except (ValueError, IndexError):
            # An interrupted job may leave an empty file.
            continue
        step = str(path.relative_to(folder).with_suffix(""))
        seconds, megabytes = float(line["s"]), pd.to_numeric(line["max_rss"], errors="coerce")
        begun = path.stat().st_mtime - seconds
        jobs.append({"step": step, "seconds": seconds, "megabytes": megabytes, "begun": begun})
    return sorted(jobs, key=lambda job: -job["seconds"])
