"""Draw and write the page for readers, its pictures as files, and what it answers of the checklist for such studies."""

from pathlib import Path

from stillhouse.errors import log_to
from stillhouse.report.checklist import checklist
from stillhouse.report.page import render, sections, write_figures
from stillhouse.report.run import read_run
from stillhouse.tables import written_beside

log_to(snakemake.log[0])
run = read_run(snakemake.input, snakemake.params, snakemake.wildcards.dataset)

shown = sections(run)
with written_beside(snakemake.output.figures) as folder:
    write_figures(shown, folder)
with written_beside(snakemake.output.page) as beside:
    beside.write_text(render(run, shown, Path(snakemake.input.template).read_text()))
with written_beside(snakemake.output.checklist) as beside:
    beside.write_text(checklist(run))
