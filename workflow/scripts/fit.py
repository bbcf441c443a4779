"""Fit a model on the sample of each split, again on all its training rows, and predict the rows that are held out."""

from stillhouse.errors import log_to
from stillhouse.learning.fitting import fit, fitted_again, history_of
from stillhouse.learning.job import Job
from stillhouse.progress import told

log_to(snakemake.log[0])
job = Job(snakemake.input, snakemake.params, snakemake.wildcards)

with job.results(snakemake.output) as keep:
    for split in told(job.splits, "splits"):
        sample = job.sample(split)
        how = job.options, job.n_classes, snakemake.threads, job.seed(split)
        model = fit(sample, *how)
        keep(split, sample, model, history_of(model, sample, job.n_classes), fitted_again(model, job.whole(split), *how))
