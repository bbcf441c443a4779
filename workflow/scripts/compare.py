"""Set all models of a dataset side by side."""

import pandas as pd

from stillhouse.comparison import compare
from stillhouse.errors import log_to
from stillhouse.evaluation import scored
from stillhouse.seeds import derive
from stillhouse.tables import read_json, written_beside

log_to(snakemake.log[0])
table = pd.read_parquet(snakemake.input.table)
folds = pd.read_parquet(snakemake.input.folds)
schema = read_json(snakemake.input.schema)
models = snakemake.params.models
seed = derive(snakemake.params.seed, snakemake.wildcards.dataset)

metrics = dict(zip(models, map(read_json, snakemake.input.metrics), strict=True))
rows = {
    name: scored(pd.read_parquet(path), table, folds) for name, path in zip(models, snakemake.input.predictions, strict=True)
}
comparison = compare(metrics, rows, snakemake.params.plain, schema, snakemake.params.settings, seed)
with written_beside(snakemake.output.comparison) as beside:
    comparison.to_csv(beside, index=False)
