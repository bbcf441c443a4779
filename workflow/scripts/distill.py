"""Make students of the samples of all splits and their teachers' unseen predictions, and predict what is held out."""

from stillhouse.errors import log_to
from stillhouse.learning.job import Job
from stillhouse.learning.students import students
from stillhouse.tables import remove

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards, snakemake.resources)

with job.results(snakemake.output) as keep:
    for found in students(job, snakemake.threads, snakemake.wildcards.model, snakemake.params.checkpoints):
        keep(*found)
remove(snakemake.params.checkpoints)
