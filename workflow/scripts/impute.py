"""Fit a preparation on the training rows of each split, and prepare every row by it."""

import pandas as pd

from stillhouse.columns import LABEL, PARENTS, ROW
from stillhouse.config.dataset import imputation, variant
from stillhouse.errors import log_to
from stillhouse.intake.kinds import feature_columns
from stillhouse.learning.job import read_folds
from stillhouse.preparation.features import Recipe, prepared, reads_labels
from stillhouse.preparation.picture_columns import without_pictures
from stillhouse.progress import told
from stillhouse.seeds import derive
from stillhouse.splits import splits_from
from stillhouse.tables import read_columns, read_json, read_table, split_writer, write_fitted

log_to(snakemake.log[0])
options = snakemake.params.options
table = read_columns(snakemake.input.table, without=[LABEL])
schema = read_json(snakemake.input.schema)
recipe = Recipe(feature_columns(schema), options, schema["classes"], imputation(snakemake.wildcards.dataset))
labels = read_table(snakemake.input.table, columns=[ROW, LABEL]) if reads_labels(options, recipe.columns) else None
folds = read_folds(snakemake.input)
if snakemake.input.synthetic:
    table = pd.concat([table, read_table(snakemake.input.synthetic).drop(columns=PARENTS)], ignore_index=True)

preparations = {}
with split_writer(snakemake.output.features) as write:
    for split in told(splits_from(snakemake.params.splits), "splits"):
        seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset), "impute", split.name)
        preparations[split.name], features = prepared(table, labels, folds, split, recipe, seed)
        write(split.name, without_pictures(features))
write_fitted(preparations, snakemake.output.preparations)
