"""Train networks on the samples of all splits at once, what is shipped again on all its rows, and predict what is held out."""

from stillhouse.errors import log_to
from stillhouse.learning.job import Job
from stillhouse.learning.networks import networks
from stillhouse.tables import remove

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards, snakemake.resources)

with job.results(snakemake.output) as keep:
    for found in networks(job, snakemake.threads, snakemake.wildcards.model, snakemake.params.checkpoints):
        keep(*found)
remove(snakemake.params.checkpoints)
