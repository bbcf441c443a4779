"""Students of every kind, a split at a time: networks, and what scikit-learn and its kin fit."""

from stillhouse.distillation.soft_targets import taught
from stillhouse.learning.fitting import fit_student
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet


def students(job, threads, title, checkpoints):
    """Yield each split, the sample that its student learned from, the fitted student, and the history of its making."""
    if job.is_network:
        sets = [training_set(job, split) for split in job.splits]
        for split, learned, found in zip(job.splits, sets, train(sets, threads, title, checkpoints), strict=True):
            yield split, learned.sample, *found
        return
    for split in job.splits:
        sample, soft = told(job, split)
        yield split, sample, *fit_student(sample, soft, job.options, job.n_classes, threads, job.seed(split))


def told(job, split):
    """Return a student's sample and its soft targets."""
    sample, features = job.sample(split), job.features(split)
    return taught(sample, features, job.sources, job.folds, split, job.classes, job.ledger(split), job.options)


def training_set(job, split):
    """Return what the networks of a split learn from."""
    sample, soft = told(job, split)
    hints, start = job.hints(split, sample), job.start(split)
    return TrainingSet(sample, soft, job.options, job.n_classes, job.seed(split), start, split["name"], hints)
