"""Write a model as one ONNX file with its card and its cost, proven equal to the workflow on every row it was made from."""

from stillhouse.columns import LABEL
from stillhouse.ensembles.pipeline import assembled
from stillhouse.errors import log_to
from stillhouse.report.card import card
from stillhouse.shipping.export import CLOSE, cost, exported, largest_difference, metadata
from stillhouse.tables import read_columns, read_json, write_json, written_beside

log_to(snakemake.log[0])
files, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
schema, metrics = read_json(files.schema), read_json(files.metrics)
table = read_columns(files.table, without=[LABEL])

whole = assembled(wildcards.model, params.recipe["models"], files)
facts = metadata(schema, whole, wildcards.dataset, wildcards.model, params.recipe)
with written_beside(snakemake.output.model) as beside:
    beside.write_bytes(exported(whole, facts))
    difference = largest_difference(beside, table, whole)
    if not difference <= CLOSE:
        raise ValueError(f"the ONNX file differs from the workflow by {difference:.1e}, more than {CLOSE:.0e}")
    costs = cost(beside, table, whole)
with written_beside(snakemake.output.card) as beside:
    beside.write_text(
        card(facts, schema, params.recipe["models"][wildcards.model], metrics, whole.models[0].ledger, costs, difference)
    )
write_json(costs, snakemake.output.cost)
