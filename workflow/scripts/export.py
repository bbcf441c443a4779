"""Write a model as one ONNX file with its card, proven equal to the workflow on every row it was made from."""

from stillhouse.card import card
from stillhouse.columns import LABEL
from stillhouse.errors import log_to
from stillhouse.shipping import CLOSE, exported, largest_difference, metadata
from stillhouse.splits import NONE
from stillhouse.tables import read_columns, read_fitted, read_json, written_beside

log_to(snakemake.log[0])
schema, options = read_json(snakemake.input.schema), snakemake.params.model
table = read_columns(snakemake.input.table, without=[LABEL])
preparation = read_fitted(snakemake.input.preparations, NONE)
model = read_fitted(snakemake.input.fitted, NONE)
wildcards = snakemake.wildcards
facts = metadata(schema, preparation.columns, model.factors, wildcards.dataset, wildcards.model, options)

content = exported(preparation, model, facts)
with written_beside(snakemake.output.model) as beside:
    beside.write_bytes(content)
    difference = largest_difference(beside, table, preparation, model)
    if not difference <= CLOSE:
        raise ValueError(f"the ONNX file differs from the workflow by {difference:.1e}, more than {CLOSE:.0e}")
with written_beside(snakemake.output.card) as beside:
    metrics = read_json(snakemake.input.metrics)
    beside.write_text(card(facts, schema, options, metrics, model.ledger, len(content), difference))
