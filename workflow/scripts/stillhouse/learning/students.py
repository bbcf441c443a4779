"""Students: networks or estimators that learn from labels and soft targets."""

from stillhouse.learning.networks import networks, with_targets
from stillhouse.progress import told


def students(job, threads, title, checkpoints):
    """Yield for each split what ``Job.results`` keeps: split, sample, fitted student, history, and the student fitted again."""
    if job.is_network:
        yield from networks(job, threads, title, checkpoints)
        return
    # Networks need no estimator.
    from stillhouse.learning.fitting import fit_student, student_again

    for split in told(job.splits, "splits"):
        sample, soft = with_targets(job, split, job.sample(split), again=False)
        how = job.options, job.n_classes, threads, job.seed(split)
        model, history, alpha = fit_student(sample, soft, *how)
        whole, again = job.whole(split), None
        if whole is not None:
            again = student_again(model, *with_targets(job, split, whole, again=True), alpha, *how)
        yield split, sample, model, history, again
