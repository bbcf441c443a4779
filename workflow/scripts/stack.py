"""Combine other models by their predictions of rows that they did not see."""

from stillhouse.columns import LABEL, ROW
from stillhouse.ensembles.stacking import fit_stacker, stacker_predictions
from stillhouse.errors import log_to
from stillhouse.learning.job import read_folds, sources
from stillhouse.predictions.decisions import decide
from stillhouse.predictions.predictions import prediction_table, rows_to_predict, rows_without_labels
from stillhouse.progress import told
from stillhouse.splits import first_of, splits_from
from stillhouse.tables import read_first, read_json, read_split, read_table, split_writer, write_json

log_to(snakemake.log[0])
labels = read_table(snakemake.input.table, columns=[ROW, LABEL])
folds = read_folds(snakemake.input)
schema = read_json(snakemake.input.schema)
options = snakemake.params.options
found = sources(snakemake.input)
members = {name: found[name] for name in options["members"]}

stackers, classes = {}, schema["classes"]
with split_writer(snakemake.output.predictions) as write:
    for split in told(splits_from(snakemake.params.splits), "splits"):
        stacker, factors = fit_stacker(members, labels, folds, split, schema, options)
        ways = [(split.name, rows_to_predict(folds, split), read_split)]
        if len(unlabelled := rows_without_labels(folds, split)):
            ways.append((first_of(split.name), unlabelled, read_first))
        for name, rows, read in ways:
            scores = stacker_predictions(stacker, members, rows, split, classes, read)
            write(name, prediction_table(rows, scores, classes, decide(scores, factors) if classes else None))
        learned = stacker.learned() | {"factors": factors.tolist() if classes else None}
        stackers[split.name] = learned | {"weights": dict(zip(members, learned["weights"], strict=True))}
write_json(stackers, snakemake.output.weights)
