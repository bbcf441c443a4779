"""The TRIPOD+AI checklist of a run (Collins et al. 2024, BMJ 385:e078378): what the workflow can answer, and what it cannot.

Items are in our own words. Whatever nobody can know from a table and a configuration is left to the authors, and said to be.
"""

from stillhouse.columns import GROUP, LABEL, PART, TIME
from stillhouse.config.models import verb
from stillhouse.intake.kinds import feature_columns
from stillhouse.report.sections.data import flow_picture
from stillhouse.report.sections.learning import size_sentence
from stillhouse.report.text import METRIC_TITLES, how_made, listed, with_interval

NOT_ANSWERED = "not answered"

# Number, what is asked, the function below that answers it, and what is left to the authors.
ITEMS = {
    "Title and abstract": [
        ("1", "The study develops or evaluates a prediction model, the population, the outcome", "", "all of it"),
        ("2", "Abstract", "", "all of it"),
    ],
    "Introduction": [
        ("3a", "Context, and why the model is needed", "", "all of it"),
        ("3b", "Whom the model is for, and its users", "", "all of it"),
        ("3c", "Known inequalities between groups", "", "all of it"),
        ("4", "Objectives", "", "all of it"),
    ],
    "Methods": [
        ("5a", "Where the data come from", "files", "how the rows were collected and whom they stand for"),
        ("5b", "Dates of the data", "", "all of it"),
        ("6a", "Setting and centres", "groups_of_rows", "where and what the centres are"),
        ("6b", "Who was eligible", "", "all of it"),
        ("6c", "Treatments received", "", "all of it"),
        ("7", "Preparation and checks of the data", "reading", "whether this differs between groups of people"),
        ("8a", "The outcome", "outcome", "how and when it is assessed, and why it was chosen"),
        ("8b", "Who assessed the outcome", "", "all of it"),
        ("8c", "Blinding of assessment", "", "all of it"),
        ("9a", "Which predictors were considered", "predictors", "why these"),
        ("9b", "How predictors are defined", "kinds_of_columns", "how and when each is measured"),
        ("9c", "Who assessed predictors", "", "all of it"),
        ("10", "Sample size", "size", "how many rows were planned, and why"),
        ("11", "Gaps", "gaps", "why values are missing"),
        ("12a", "Which data were used for what", "division", ""),
        ("12b", "How predictors enter the model", "preparation", ""),
        ("12c", "Kinds of models, how they were built, tuned and checked", "models", "why these"),
        ("12d", "Differences between clusters", "clusters", ""),
        ("12e", "Measures of performance", "measures", "which of them matter in use"),
        ("12f", "Updating of the model", "updating", ""),
        ("12g", "How predictions were computed in evaluation", "predicting", ""),
        ("13", "Class imbalance", "imbalance", ""),
        ("14", "Fairness", "fairness", "which groups matter, and why"),
        ("15", "The model's output and its thresholds", "output", "which threshold its use asks for"),
        ("16", "Differences between development and evaluation data", "shift", "differences that no column shows"),
        ("17", "Ethical approval", "", "all of it"),
    ],
    "Open science": [
        ("18a", "Funding", "", "all of it"),
        ("18b", "Conflicts of interest", "", "all of it"),
        ("18c", "Protocol", "", "all of it"),
        ("18d", "Registration", "", "all of it"),
        ("18e", "Availability of the data", "", "all of it"),
        ("18f", "Availability of the code", "code", "where the configuration and methods of your own are to be had"),
        ("19", "Involvement of patients and the public", "", "all of it"),
    ],
    "Results": [
        ("20a", "Flow of rows", "flow", "who was left out before there was a table"),
        ("20b", "Characteristics of the rows", "characteristics", "follow-up and treatments"),
        ("20c", "Important predictors in development and evaluation data", "shift", ""),
        ("21", "Rows and events in each analysis", "events", ""),
        ("22", "The full model", "shipped", ""),
        ("23a", "Performance, with intervals and for key groups", "performance", ""),
        ("23b", "Differences of performance between clusters", "clusters", ""),
        ("24", "Results of updating", "updating", ""),
    ],
    "Discussion": [
        ("25", "Interpretation, and fairness of the model", "", "all of it"),
        ("26", "Limitations", "", "all of it"),
        ("27a", "Poor or missing inputs in use", "inputs", ""),
        ("27b", "What users have to do and to know", "", "all of it"),
        ("27c", "Next steps", "", "all of it"),
    ],
}


def checklist(run):
    """Return the filled checklist as Markdown."""
    answers = Answers(run)
    lines = [
        f"# TRIPOD+AI checklist: {run.dataset}",
        "",
        "What the workflow knows is answered, with where it is shown: names in quotes are parts of `report.html`. The rest is",
        "for the authors.",
        "",
    ]
    for section, items in ITEMS.items():
        lines += [f"## {section}", "", "| item | asked | answer | left to the authors |", "|---|---|---|---|"]
        for number, asked, name, left in items:
            answer = getattr(answers, name)() if name else ""
            lines.append(f"| {number} | {asked} | {in_cell(answer or NOT_ANSWERED)} | {left if answer else 'all of it'} |")
        lines.append("")
    return "\n".join(lines)


def in_cell(text):
    """Return a text as it may stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def resampled(model):
    """Return by what a model's training rows are resampled; empty for none."""
    chosen = model.get("prepare", {}).get("resample", "none")
    return "" if chosen == "none" else chosen


class Answers:
    """What a run tells of the items of the checklist; an empty text where it tells nothing."""

    def __init__(self, run):
        self.run, self.schema, self.config = run, run.schema, run.config
        self.dataset = run.config["datasets"][run.dataset]

    def files(self):
        """Return the files of the table."""
        names = [name for name in self.schema["files"] if name != "table.parquet"]
        return f"Read from {listed([f'`{name}`' for name in names])}; their digests are in “How it was made”." if names else ""

    def groups_of_rows(self):
        """Return how many groups the rows belong to."""
        if GROUP not in self.run.table:
            return ""
        return f"Rows belong to {self.run.table[GROUP].nunique():,} groups (`{self.dataset['group']}`), which no fold divides."

    def reading(self):
        """Return what was changed and noticed in reading."""
        notes = self.schema["notes"]
        noted = "Changes and doubts are in “Notes from reading the table”"
        said = noted if notes else "Nothing was changed or doubted in reading"
        return f"{said}; how each column was read is in “Columns” and in the configuration."

    def outcome(self):
        """Return the target, and its classes."""
        classes = f" with the classes {listed(self.run.task.classes)}" if self.run.task.classes else ", a number"
        return f"`{self.schema['target']}`{classes}."

    def predictors(self):
        """Return how many columns models see, and which do not."""
        dropped = self.dataset["drop"]
        left = f"; {listed([f'`{name}`' for name in dropped])} are dropped by the configuration" if dropped else ""
        return f"{len(feature_columns(self.schema))} columns of the table{left}; all are in “Columns”."

    def kinds_of_columns(self):
        """Return where kinds and gaps of columns are told."""
        return "The kind of each column, and its share of gaps, in “Columns”."

    def size(self):
        """Return the number of rows, and what is said of whether it suffices."""
        rows = f"{self.schema['rows']['train']:,} training rows"
        curve = " A learning curve is in “Whether the rows suffice”." if self.run.shares else ""
        needed = " What a regression takes is in the list at the top." if size_sentence(self.run) else ""
        return f"{rows}.{curve}{needed}"

    def gaps(self):
        """Return how gaps are filled."""
        choices = {model["prepare"]["impute"] for model in self.run.models.values() if "prepare" in model}
        methods = {name: self.config["imputers"][name]["method"] for name in sorted(choices)}
        said = listed([name if name == method else f"{name} ({method})" for name, method in methods.items()])
        filled = f"Filled within each split by {said}, where none leaves them to the model; “Gaps” shows their shares."
        found = self.run.imputations
        drawn = f" Values were drawn {found['imputations']} times and scores pooled: “What gaps leave open”." if found else ""
        return filled + drawn if said else ""

    def division(self):
        """Return how rows are divided into those that models learn from and those that they are scored on."""
        k = self.config["folds"]["k"]
        if "test" in self.schema["rows"]:
            return f"The given {self.schema['rows']['test']:,} test rows are scored by models of the training rows alone."
        if TIME in self.run.table:
            whole = "; each group is in one of them" if GROUP in self.run.table else ""
            return f"{k} blocks in order of time{whole}; each but the first is scored by models of earlier blocks alone."
        read = [self.run.title(name) for name, model in self.run.models.items() if verb(model) == "read"]
        but = f" How {listed(read)} came about is not known here." if read else ""
        return f"{k}-fold cross-validation; each row is scored by a model that has not seen it, nor fitted any step on it.{but}"

    def preparation(self):
        """Return where the preparation of each model is told."""
        return "The preparation of each model is in “How each model is made”, its settings in “Configuration”."

    def models(self):
        """Return how many models there are, and how each is made."""
        named = [f"{self.run.title(name)} ({how_made(model, self.run.task.kind)})" for name, model in self.run.models.items()]
        return f"{len(named)} models: {'; '.join(named)}. Settings and searches are in “Configuration”."

    def clusters(self):
        """Return whether performance is told by group."""
        if GROUP not in self.run.table:
            return ""
        return (
            "Groups stay whole, and intervals are over groups; the list at the top tells the spread where each group is a fold."
        )

    def measures(self):
        """Return the metrics that are reported."""
        known = self.run.metrics[self.run.leader]["held_out"]["metrics"]
        curves = ", calibration curve, net benefit and counts by threshold" if self.run.task.kind == "binary" else ""
        return f"{listed([METRIC_TITLES[name] for name in known])}{curves}."

    def updating(self):
        """Return whether the model is followed through later batches."""
        if not self.run.drift:
            return ""
        return "Shipped models are followed through later rows as they are, updated, and made anew: “Later batches”."

    def predicting(self):
        """Return how held-out rows are predicted."""
        shipped = " What is shipped is made of all rows in folds." if self.run.shipped else ""
        return f"By the models of the splits that held them out; `predictions.parquet` has them all.{shipped}"

    def imbalance(self):
        """Return what is done about rare classes."""
        if not self.run.task.classes:
            return "The outcome is a number."
        chosen = {resampled(model) for model in self.run.models.values()} - {""}
        if not chosen:
            return "No model is resampled; thresholds are tuned on rows that are not fitted on."
        by = listed(sorted(chosen))
        names = [self.run.quoted(name) for name, model in self.run.models.items() if resampled(model)]
        return f"For {listed(names)}, training rows are resampled by {by}; probabilities are moved back to the original shares."

    def fairness(self):
        """Return by which columns results are told."""
        columns, is_binary = self.dataset["slices"], self.run.task.kind == "binary"
        what = "Scores, calibration, coverage and errors" if is_binary else "Scores and coverage"
        where = "“Slices” and “Errors by group”" if is_binary and len(self.run.groups) else "“Slices”"
        said = [
            f"{what} by {listed([f'`{name}`' for name in columns])}, of {self.run.quoted(self.run.reference)}: {where}."
            if columns
            else "",
            f"Conformal sets are made by `{self.dataset['sets_by']}`." if "sets_by" in self.dataset else "",
        ]
        return " ".join(filter(None, said))

    def output(self):
        """Return what a model says, and how its threshold is chosen."""
        if not self.run.task.classes:
            return "A value, and an interval by `predict.py --sets`."
        by = "the given costs" if self.schema["costs"] else "balanced accuracy"
        return f"A probability of each class, and a decision by a threshold tuned for {by} on rows that are not fitted on."

    def shift(self):
        """Return how deploy rows differ."""
        if self.run.shift is None:
            return ""
        return "Tests and distances between labelled and deploy rows, by column: “Deploy rows: how they differ”."

    def code(self):
        """Return where versions and settings are told."""
        return "Stillhouse's version, those of libraries, the seed and the whole configuration are in the report."

    def flow(self):
        """Return the rows of each part."""
        counts = listed([f"{count:,} {part}" for part, count in self.schema["rows"].items()])
        flow = "“Flow of rows”, and " if flow_picture(self.run) else ""
        return f"{counts} rows; see {flow}the notes from reading."

    def characteristics(self):
        """Return where the rows are described."""
        return "“Columns” and “The data”."

    def events(self):
        """Return the rows of each part, and of each class in it."""
        parts = self.run.table.groupby(PART, sort=False)
        return " ".join(f"{part.capitalize()}: {self._counts_in(rows)}." for part, rows in parts)

    def _counts_in(self, rows):
        labels, classes = rows[LABEL].dropna(), self.run.task.classes
        if not classes or not len(labels):
            return f"{len(rows):,} rows"
        counts = labels.value_counts()
        return listed([f"{counts.get(code, 0):,} {name}" for code, name in enumerate(classes)])

    def shipped(self):
        """Return the files of shipped models."""
        names = [f"`deploy/{name}.onnx`" for name in self.run.shipped]
        cards = "each with its card" if len(names) > 1 else "with its card"
        return f"{listed(names)}, {cards}; `predict.py` makes predictions of raw rows by it." if names else ""

    def performance(self):
        """Return the scores of the shipped models, or of the leading one, on held-out and on deploy rows, and where all are."""
        scores = [self._score(name) for name in self.run.shipped or [self.run.leader]]
        return f"{'; '.join(scores)}. All are in “All numbers”{', by group in “Slices”' if self.dataset['slices'] else ''}."

    def _score(self, name):
        found = self.run.metrics[name]
        populations = [found[key] for key in ("held_out", "deploy") if key in found]
        held_out, *used = (with_interval(one["metrics"][self.run.main]) for one in populations)
        deploy = f", and {used[0]} on labelled deploy rows" if used else ""
        return f"{METRIC_TITLES[self.run.main]} of {self.run.quoted(name)}: {held_out} on held-out rows{deploy}"

    def inputs(self):
        """Return what a shipped model does with poor inputs."""
        if not self.run.shipped:
            return ""
        return "Gaps and unknown categories are allowed; `predict.py` counts values unlike those in training (`--check`)."
