"""Draw and write the one page that people read, and its figures as files."""

from pathlib import Path

import pandas as pd

from stillhouse.errors import log_to
from stillhouse.evaluation import scored
from stillhouse.plan import verb
from stillhouse.report.page import by_model, render, seconds_by_step, sections, write_figures
from stillhouse.splits import NONE
from stillhouse.tables import read_json, read_split, written_beside

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
models, split = params.models, params.shown_split
table, folds = pd.read_parquet(files.table), pd.read_parquet(files.folds)
stacks = [name for name, model in models.items() if verb(model) == "stack"]

run = {
    "dataset": snakemake.wildcards.dataset,
    "config": params.config,
    "settings": params.config["report"],
    "models": models,
    "students": pd.read_csv(files.students),
    "pairs": pd.read_csv(files.pairs),
    "slices": pd.read_csv(files.slices),
    "importance": pd.read_csv(files.explanations[0]) if files.explanations else None,
    "surrogate": read_json(files.explanations[1]) if files.explanations else None,
    "prices": read_json(files.prices),
    "control": {
        "metrics": dict(zip(params.controlled, map(read_json, files.control), strict=True)),
        "level": params.config["report"]["level"],
    },
    "costs": dict(zip(params.exported, map(read_json, files.costs), strict=True)),
    "plain": params.plain,
    "reference": params.reference,
    "shown_split": split,
    "table": table,
    "schema": read_json(files.schema),
    "comparison": pd.read_csv(files.comparison, keep_default_na=False, na_values=[""]),
    "metrics": dict(zip(models, map(read_json, files.metrics), strict=True)),
    "rows": {name: scored(pd.read_parquet(path), table, folds) for name, path in zip(models, files.predictions, strict=True)},
    "histories": by_model(files.get("histories", [])),
    "stacks": {name: read_json(path)[split]["weights"] for name, path in zip(stacks, files.stacks, strict=True)},
    "drift": dict(zip(params.exported, map(read_json, files.drift), strict=True)) if files.drift else {},
    "shift": read_json(files.shift) if files.shift else None,
    "weights": read_split(files.weights, NONE) if files.weights else None,
    "steps": seconds_by_step(params.logs),
}
shown = sections(run)
write_figures(shown, snakemake.output.figures)
with written_beside(snakemake.output.page) as beside:
    beside.write_text(render(run, shown, Path(files.template).read_text()))
