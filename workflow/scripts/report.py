"""Draw and write the one page that people read."""

from pathlib import Path

import pandas as pd

from stillhouse.errors import log_to
from stillhouse.evaluation import scored
from stillhouse.plan import verb
from stillhouse.report.page import by_model, render
from stillhouse.splits import NONE
from stillhouse.tables import read_json, read_split, written_beside

log_to(snakemake.log[0])
files, models, split = snakemake.input, snakemake.params.models, snakemake.params.shown_split
table, folds = pd.read_parquet(files.table), pd.read_parquet(files.folds)
stacks = [name for name, model in models.items() if verb(model) == "stack"]

run = {
    "dataset": snakemake.wildcards.dataset,
    "config": snakemake.params.config,
    "settings": snakemake.params.config["report"],
    "models": models,
    "students": pd.read_csv(files.students),
    "costs": dict(zip(snakemake.params.exported, map(read_json, files.costs), strict=True)),
    "plain": snakemake.params.plain,
    "shown_split": split,
    "table": table,
    "schema": read_json(files.schema),
    "comparison": pd.read_csv(files.comparison, keep_default_na=False, na_values=[""]),
    "metrics": dict(zip(models, map(read_json, files.metrics), strict=True)),
    "rows": {name: scored(pd.read_parquet(path), table, folds) for name, path in zip(models, files.predictions, strict=True)},
    "histories": by_model(files.get("histories", [])),
    "stacks": {name: read_json(path)[split]["weights"] for name, path in zip(stacks, files.stacks, strict=True)},
    "drift": dict(zip(snakemake.params.exported, map(read_json, files.drift), strict=True)) if files.drift else {},
    "shift": read_json(files.shift) if files.shift else None,
    "weights": read_split(files.weights, NONE) if files.weights else None,
}
with written_beside(snakemake.output.page) as beside:
    beside.write_text(render(run, Path(files.template).read_text()))
