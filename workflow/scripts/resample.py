"""Make for each split the sample that models are fitted on: weighed, balanced, its stop set cut off first.

Beside it the whole sample of the split is made, on which models are fitted again once the stop rows have decided.
"""

from dataclasses import asdict

from stillhouse.columns import LABEL, ROW, STOP
from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.preparation.sample import balanced_sample, sample_writer, training_sample, whole_sample
from stillhouse.progress import told
from stillhouse.seeds import derive
from stillhouse.splits import splits_from, whole_of
from stillhouse.tables import read_json, read_split, read_table, write_json

log_to(snakemake.log[0])
labels = read_table(snakemake.input.table, columns=[ROW, LABEL])
folds = read_table(snakemake.input.folds)
n_classes = len(read_json(snakemake.input.schema)["classes"] or [])
share, options = snakemake.params.stop, snakemake.params.options

ledgers = {}
with sample_writer(snakemake.output) as write:
    for split in told(splits_from(snakemake.params.splits), "splits"):
        seed = derive(snakemake.params.seed, variant(snakemake.wildcards.dataset), split.name)
        features = read_split(snakemake.input.features, split.name)
        weights = read_split(snakemake.input.weights, split.name)
        rows = training_sample(features, weights, labels, folds, split)
        sample, ledger, note = balanced_sample(rows, n_classes, share, options, seed)
        facts = {"stop_rows": int(sample[STOP].sum()), "rows": len(sample), "note": note}
        ledgers[split.name] = {"ledger": ledger and asdict(ledger), **facts}
        write(split.name, sample, features)
        sample, ledger = whole_sample(rows, n_classes, options, seed)
        facts = {"stop_rows": 0, "rows": len(sample), "note": ""}
        ledgers[whole_of(split.name)] = {"ledger": ledger and asdict(ledger), **facts}
        write(whole_of(split.name), sample, features)
write_json(ledgers, snakemake.output.ledger)
