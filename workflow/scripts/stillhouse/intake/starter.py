"""A first configuration for a table: how it is read, the kinds of its columns, and models that suit most tables.

It always runs as it is. What was guessed and could be wrong is said in it, and in a summary.
"""

import re
from functools import cached_property
from math import ceil
from pathlib import Path

import numpy as np
import yaml

from stillhouse.columns import DEPLOY, LABEL, LABELLED, PART, ROW
from stillhouse.config.checks.configuration import checked
from stillhouse.config.checks.tables import check_dataset
from stillhouse.config.completion import fill
from stillhouse.config.dataset import FOLDER
from stillhouse.config.estimate import minutes, seconds
from stillhouse.config.plan import Plan
from stillhouse.config.settings import load_schema
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.intake.audit import ratings
from stillhouse.intake.kinds import MOST_CLASSES
from stillhouse.intake.load import load
from stillhouse.intake.notation import cleaned, is_textual, stray_words
from stillhouse.intake.presets import (
    FILLED,
    PRESETS,
    for_pictures,
    preset_of,
    size_of,
    speed,
    student_width,
    synthetic_share,
)
from stillhouse.intake.raw import loader, with_located_pictures
from stillhouse.intake.sniffing import sniffed
from stillhouse.intake.template import (
    GRADIENTS,
    SYNTHETIC,
    TEMPLATE,
    WHOLE,
    dataset_name,
    folds_for,
    in_yaml,
    kind_lines,
    leaves,
    listed,
    members_text,
    one_line,
    quoted,
    student_text,
)
from stillhouse.intake.typed import why_out

# The fewest rows of a class that four folds need; rarer classes are made one.
LEAST_ROWS = 4
RARE = "rare"
# Whole numbers of more values than this are taken for a number to predict, not for classes.
MOST_LIKELY_CLASSES = 10
# Words that stand for a missing value in most tables, and for "none" in some.
MAY_MEAN_NONE = ("NA", "N/A", "n/a", "NULL", "null")
# The rank correlation of the target with the number of the row from which it drifts along the file.
DRIFT = 0.2
TIMES = re.compile(r"(?i)(^|[_\s])(date|time|timestamp|year|month|day|hour|yr|datetime)$")
PERSONAL = re.compile(r"(?i)(^|[_\s])((first|last|sur|full)?[_\s]?name|e-?mail|phone|address)$")


class Starter:
    """What was found out of a table: the options of the dataset, its schema, and what is to be checked."""

    def __init__(self, table, target, deploy, test=None):
        self.table, self.deploy, self.schema = table, deploy, load_schema()
        check_there(table)
        found, self.target, self.doubts = sniffed(table, target)
        parts = {key: location for key, location in (("test", test), ("deploy", deploy)) if location}
        self.options = {"target": self.target, **parts, **found}
        self._settle()
        self.rows, self.described = load(self._filled(), np.random.default_rng(0))
        self.doubts += [*self.described["alerts"], *self._further_doubts(), *self._of_time()]

    def _filled(self):
        schema = self.schema
        return fill({"train": self.table, **self.options}, schema["$defs"]["dataset"], schema)

    def _settle(self):
        """Add what reading the table needs: words for gaps, the task, and names for rare classes."""
        dataset = self._filled()
        check_dataset("new", dataset)
        raw = with_located_pictures(loader(self.table).read(self.table, dataset, []), self.table, dataset)
        self._note_words_for_none(raw, dataset)
        table = cleaned(raw, dataset, self.table)
        words = {name: found for name in table if name != self.target and (found := stray_words(table[name])) is not None}
        if words:
            self.options["missing_in"] = {name: sorted(set(found)) for name, found in words.items()}
        for name, found in words.items():
            self.doubts.append(f"column {name!r}: {listed(found.unique())} among numbers is taken for a missing value")
        self._settle_target(kinds.as_text(table[self.target]).dropna())

    def _note_words_for_none(self, raw, dataset):
        for name in (name for name in raw if is_textual(raw[name])):
            texts = raw[name].dropna().astype("str").str.strip()
            counts = texts[texts.isin(MAY_MEAN_NONE) & texts.isin(dataset["missing"])].value_counts()
            if len(counts) and counts.iloc[0] > 0.05 * len(raw):
                said = f"column {name!r}: {counts.index[0]!r}, in {counts.iloc[0]:,} rows, is read as missing"
                self.doubts.append(f"{said}; if it means none, list under `missing` only the words that do mean missing")

    def _settle_target(self, labels):
        numbers = kinds.as_numbers(labels)
        counts = labels.value_counts()
        if numbers.notna().all() and (numbers % 1 == 0).all() and MOST_LIKELY_CLASSES < len(counts) <= MOST_CLASSES:
            self.options["task"] = "regression"
            said = f"the target has {len(counts)} different whole numbers, and is taken for a number"
            self.doubts.append(f"{said}; for classes, set task: multiclass")
            return
        is_number = numbers.notna().all() and (len(counts) > MOST_CLASSES or (numbers % 1 != 0).any())
        rare = counts.index[counts < LEAST_ROWS]
        if is_number or not len(rare):
            return
        if counts[rare].sum() < LEAST_ROWS or len(counts) - len(rare) < 1 or len(counts) < 3:
            said = f"class {rare[0]!r} of {self.target!r} has {counts[rare[0]]} rows"
            raise UserError(
                f"--target: {said}, and {LEAST_ROWS} are needed to learn and to score it; add rows, or leave them out"
            )
        self.options["labels"] = dict.fromkeys(sorted(rare), RARE)
        said = f"the classes {listed(sorted(rare))} have fewer than {LEAST_ROWS} rows each"
        self.doubts.append(f"{said}, and are made one, {RARE!r}")

    def _further_doubts(self):
        doubts = []
        for column in self.described["columns"]:
            name, kind, values = column["source"], column["kind"], self.rows[column["name"]]
            if reason := why_out(values, kind):
                doubts.append(f"column {name!r} is left out: {reason}")
            elif PERSONAL.search(name):
                doubts.append(f"column {name!r} may hold personal data; if so, name it under `drop`")
            elif re.search(r"(?i)(^|[_\s])id$|(?<=[a-z])Id$", name) and values.nunique() < len(values):
                doubts.append(f"column {name!r} is used as {kind}; if rows of one value belong together, set group: {name}")
        said = ("is read as", "is called", "dates with", "rows without a value")
        return [*doubts, *(note for note in self.described["notes"] if any(part in note for part in said))]

    def _of_time(self):
        """Return what looks like rows in order of time: columns by name or kind, or a target that drifts along the file."""
        doubts, columns = [], self.described["columns"]
        of_time = [column for column in columns if column["kind"] == kinds.DATETIME or TIMES.search(column["source"])]
        names = dict.fromkeys(column["source"] for column in of_time)
        if names:
            said = f"{listed(names)} may tell the time"
            doubts.append(f"{said}: if the model will predict later rows than it learned from, set `time`")
        if not names and abs(self.labelled[LABEL].corr(self.labelled[ROW], method="spearman")) > DRIFT:
            doubts.append("the target changes along the file: if its rows are in order of time, set time: true")
        return doubts

    def _largest(self):
        """Return the column that tells a binary target best by itself, and its AUC, as a line of the summary."""
        if self.described["task"] != "binary":
            return []
        rated = list(ratings(self.labelled, kinds.feature_columns(self.described)).items())
        return [f"of all columns, {name!r} alone tells the target best, with an AUC of {auc:.2f}" for name, auc in rated[:1]]

    def chosen(self, asked, cores):
        """Return the largest preset that takes at most so many minutes; raises ``UserError`` where none does.

        The estimate fills a part of the minutes alone, as early stopping and other work on the machine are unknown.
        """
        for preset in reversed(PRESETS):
            taken = self.estimated(preset, cores)
            if taken <= FILLED * asked:
                return preset
        enough = ceil(10 * taken / FILLED) / 10
        raise UserError(
            f"--minutes {asked:g}: the smallest preset takes about {taken:.1f} minutes of {cores} cores here, and is to fill "
            f"{100 * FILLED:.0f} % of what is asked for at most; give {enough:g} minutes or more, or fewer rows"
        )

    def estimated(self, preset, cores):
        """Return the minutes that the run of a preset takes on cores of this machine."""
        if cores < 1:
            raise UserError(f"--cores {cores}: a run has one or more")
        plan, name = Plan(checked(yaml.safe_load(self._written(preset, 0, cores)), self.schema)), dataset_name(self.table)
        return minutes(seconds(plan, name, self.size), cores, self.speed)

    @cached_property
    def labelled(self):
        """The rows that are learned from and scored."""
        return self.rows[self.rows[PART].isin(LABELLED)]

    @cached_property
    def size(self):
        """How large the table is, as the time of a run depends on it."""
        return size_of(self.labelled, kinds.feature_columns(self.described), len(self.described["classes"] or []))

    @cached_property
    def speed(self):
        """How fast a core of this machine is."""
        return speed()

    def text(self, preset="balanced", cores=2):
        """Return the configuration as commented YAML; presets are those of ``presets.py``."""
        return self._written(preset, f"{self.estimated(preset, cores):.1f}", cores)

    def _written(self, preset, taken, cores):
        task, is_classes = self.described["task"], self.described["classes"]
        positive = {"positive": is_classes[1]} if task == "binary" else {}
        asked, weigh = preset_of(preset), ", weigh: logistic" if self.deploy else ""
        asked = for_pictures(asked, self.size) if self.size.pictures else asked
        least, leaf = leaves(self.size.rows)
        linear = "logistic" if is_classes else "ridge"
        members, listed_members = members_text(asked, linear=linear, least=least, leaf=leaf, weigh=weigh)
        width = student_width(len(kinds.feature_columns(self.described)) + 2 * self.size.components)
        share = synthetic_share(self.size, asked.synthetic)
        transfer = ", transfer: [synthetic]" if share else ""
        return TEMPLATE.format(
            name=dataset_name(self.table),
            table=quoted(self.table),
            target=quoted(self.target),
            rows=self.counts(),
            columns=len({column["source"] for column in self.described["columns"]}),
            task=task,
            doubts="".join(f"# Check: {one_line(doubt)}\n" for doubt in self.doubts),
            preset=preset,
            minutes=taken,
            cores=cores,
            options="".join(f"    {key}: {in_yaml(value)}\n" for key, value in {**self.options, **positive}.items()),
            weigh=weigh,
            members=members,
            names=listed_members,
            synthetic=SYNTHETIC.format(share=share) if share else "",
            student=student_text(asked, width, transfer, bool(self.size.pictures)),
            imputer="whole" if self.size.pictures else "marked",
            gradients=GRADIENTS if self.size.pictures else "",
            whole=WHOLE if self.size.pictures else "",
            comment="" if is_classes else "  # Where the target is a number, the method logistic is ridge regression.\n",
            k=folds_for(self.described, asked.folds),
            kinds="\n".join(kind_lines(self.described)),
        )

    def counts(self):
        """Return the number of training and of deploy rows, as text."""
        train, deploy = len(self.labelled), (self.rows[PART] == DEPLOY).sum()
        return f"{train:,} training rows" + (f", {deploy:,} deploy rows" if deploy else "")

    def summary(self):
        """Return the lines that say what was found, and what should be checked."""
        classes, columns = self.described["classes"], self.described["columns"]
        what = f"one of {listed(classes)}" if classes else "a number"
        positive = f"; {classes[1]!r}, the rarer, is taken as positive" if classes and len(classes) == 2 else ""
        left_out = dict.fromkeys(column["source"] for column in columns if column["kind"] in kinds.LEFT_OUT)
        used = {column["source"] for column in columns} - set(left_out)
        return [
            f"{self.table}: {self.counts()}",
            f"target {self.target!r}: {what}{positive}",
            f"columns used: {len(used)}" + (f"; left out: {listed(left_out)}" if left_out else ""),
            *self._largest(),
            f"results will be in results/{dataset_name(self.table)}/",
            *(f"check: {doubt}" for doubt in self.doubts),
        ]


def check_there(table):
    """Raise ``UserError`` where there is no such file, with the nearest name beside it."""
    if table.startswith(FOLDER) or not Path(table).is_file():
        check_dataset("new", {"train": table, "target": "", "drop": []})
