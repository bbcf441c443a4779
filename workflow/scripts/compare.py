"""Set all models of a dataset side by side, find the best, and hold each student against its teachers and its twin."""

from stillhouse.columns import FOLD, LABEL, ROW
from stillhouse.config.dataset import variant
from stillhouse.errors import log_to
from stillhouse.evaluation.comparison import Comparison, compare, compare_students, main_draws, pairs
from stillhouse.evaluation.constant import constant_rows
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import evaluate, scored
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.splits import splits_from
from stillhouse.tables import read_json, read_table, write_csv, write_json

log_to(snakemake.log[0])
files, params = snakemake.input, snakemake.params
table, folds, schema = read_table(files.table), read_table(files.folds), read_json(files.schema)
protocol = Protocol(Task.of(schema), params.settings, derive(params.seed, variant(snakemake.wildcards.dataset)))

metrics = {name: [] for name in params.models}
for path in [*files.metrics, *files.repeats]:
    metrics[path.split("/")[-2]].append(read_json(path))
rows = {name: scored(read_table(path), table, folds) for name, path in zip(params.models, files.predictions, strict=True)}
drawn, left_out = main_draws(rows, protocol)

comparison = Comparison(metrics, drawn, protocol, left_out)
tables = {
    snakemake.output.comparison: compare(comparison, metrics, params.plain),
    snakemake.output.pairs: pairs(comparison),
    snakemake.output.students: compare_students(comparison, params.students, rows),
}
for path, found in tables.items():
    write_csv(found, path)
known = folds[[ROW, FOLD]].merge(table[[ROW, LABEL]], on=ROW)
labels = known[(known[FOLD] >= 0) & known[LABEL].notna()].set_index(FOLD)[LABEL]
constant = constant_rows(next(iter(rows.values())), labels, splits_from(params.splits), protocol.task)
write_json(evaluate(constant, protocol), snakemake.output.constant)
