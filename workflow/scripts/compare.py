"""Set all models of a dataset side by side, and each student beside its teachers and its twin."""

import pandas as pd

from stillhouse.comparison import compare, compare_students, main_draws
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
settings = snakemake.params.settings
drawn = {name: main_draws(scored_rows, schema, settings, seed) for name, scored_rows in rows.items()}
comparison = compare(metrics, drawn, snakemake.params.plain, schema, settings)
students = compare_students(snakemake.params.students, metrics, rows, drawn, schema, settings)
for table, path in ((comparison, snakemake.output.comparison), (students, snakemake.output.students)):
    with written_beside(path) as beside:
        table.to_csv(beside, index=False)
