"""Combine other models by their predictions of rows that they did not see."""

import pandas as pd

from stillhouse.columns import LABEL, ROW
from stillhouse.decisions import decide
from stillhouse.errors import log_to
from stillhouse.predictions import prediction_table
from stillhouse.stacking import fit_stacker, stacked
from stillhouse.tables import read_json, split_writer, write_json

log_to(snakemake.log[0])
labels = pd.read_parquet(snakemake.input.table, columns=[ROW, LABEL])
folds = pd.read_parquet(snakemake.input.folds)
classes = read_json(snakemake.input.schema)["classes"]
options = snakemake.params.options
members = {name: snakemake.input[f"member_{name}"] for name in options["members"]}

stackers = {}
with split_writer(snakemake.output.predictions) as write:
    for split in snakemake.params.splits:
        stacker, factors = fit_stacker(members, labels, folds, split, classes, options)
        rows, scores = stacked(stacker, members, folds, split, classes)
        write(split["name"], prediction_table(rows, scores, classes, decide(scores, factors) if classes else None))
        weights = dict(zip(members, stacker.weights.tolist(), strict=True))
        stackers[split["name"]] = {"weights": weights, "intercept": stacker.intercept.tolist()}
write_json(stackers, snakemake.output.weights)
