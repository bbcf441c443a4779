"""Measure the footprint of each model: its bytes, and the time of predicting one row."""

from stillhouse.columns import LABEL
from stillhouse.ensembles.pipeline import load_pipeline
from stillhouse.errors import log_to
from stillhouse.shipping.footprint import footprint
from stillhouse.tables import read_columns, read_json, write_json

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
schema, table = read_json(files.schema), read_columns(files.table, without=[LABEL])

footprints = {}
for name in params.models:
    pipeline = load_pipeline(name, params.all_models, files, params.split)
    footprints[name] = footprint(pipeline, table, schema, name in params.with_graph)
write_json(footprints, snakemake.output.footprints)
