"""Fit a preparation on the training rows of each split, and prepare every row by it."""

import pandas as pd

from stillhouse.columns import LABEL
from stillhouse.errors import log_to
from stillhouse.kinds import feature_columns
from stillhouse.preparation import prepared
from stillhouse.tables import read_columns, read_json, split_writer, write_fitted

log_to(snakemake.log[0])
table = read_columns(snakemake.input.table, without=[LABEL])
columns = feature_columns(read_json(snakemake.input.schema))
folds = pd.read_parquet(snakemake.input.folds)

preparations = {}
with split_writer(snakemake.output.features) as write:
    for split in snakemake.params.splits:
        preparations[split["name"]], features = prepared(table, folds, split, columns, snakemake.params.options)
        write(split["name"], features)
write_fitted(preparations, snakemake.output.preparations)
