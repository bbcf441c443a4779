"""Write a model as one ONNX file, equal to the workflow on every row that it was made from, with its card and footprint."""

from stillhouse.columns import FOLD, LABEL
from stillhouse.ensembles.pipeline import load_pipeline
from stillhouse.errors import log_to
from stillhouse.report.card import card
from stillhouse.shipping.export import MOST_DIFFERENCE, exported, largest_difference, metadata
from stillhouse.shipping.footprint import file_footprint
from stillhouse.tables import read_columns, read_json, write_json, written_beside

log_to(snakemake.log[0])
files, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
schema, metrics = read_json(files.schema), read_json(files.metrics)
table = read_columns(files.table, without=[LABEL])

pipeline = load_pipeline(wildcards.model, params.recipe["models"], files)
sets, what = metrics["held_out"]["sets"], (wildcards.dataset, wildcards.model, params.recipe)
facts = metadata(schema, pipeline, *what, table, sets)
with written_beside(snakemake.output.model) as beside:
    beside.write_bytes(exported(pipeline, facts))
    difference = largest_difference(beside, table, pipeline)
    if not difference <= MOST_DIFFERENCE:
        raise ValueError(f"the ONNX file differs from the workflow by {difference:.1e}, more than {MOST_DIFFERENCE:.0e}")
    footprint = file_footprint(beside, table, pipeline)
in_folds, ledger = int((read_columns(files.folds)[FOLD] >= 0).sum()), pipeline.models[0].ledger
learned = {"rows": in_folds, "shares": ledger.before if ledger else None}
what = facts, schema, params.recipe["models"][wildcards.model], metrics, learned, {**footprint, "difference": difference}
with written_beside(snakemake.output.card) as beside:
    beside.write_text(card(*what))
write_json(footprint, snakemake.output.footprint)
