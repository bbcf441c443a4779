"""Find out what it costs to use each model: bytes, and the time that one row takes."""

from stillhouse.columns import LABEL
from stillhouse.ensembles.pipeline import assembled
from stillhouse.errors import log_to
from stillhouse.shipping.footprint import price
from stillhouse.tables import read_columns, read_json, write_json

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
schema, table = read_json(files.schema), read_columns(files.table, without=[LABEL])

prices = {}
for name in params.models:
    whole = assembled(name, params.all_models, files, params.split)
    prices[name] = price(whole, table, schema, name in params.with_graph)
write_json(prices, snakemake.output.prices)
