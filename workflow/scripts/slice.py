"""Score a model on parts of the rows by themselves: given ones, and the worst that can be found."""

import pandas as pd

from stillhouse.errors import log_to
from stillhouse.evaluation import scored
from stillhouse.seeds import derive
from stillhouse.slicing import slices
from stillhouse.tables import read_json, write_csv

log_to(snakemake.log[0])
table, folds = pd.read_parquet(snakemake.input.table), pd.read_parquet(snakemake.input.folds)
rows = scored(pd.read_parquet(snakemake.input.predictions), table, folds)
params, seed = snakemake.params, derive(snakemake.params.seed, snakemake.wildcards.dataset)

found = slices(rows, table, read_json(snakemake.input.schema), params.columns, params.settings, seed)
write_csv(found, snakemake.output.slices)
