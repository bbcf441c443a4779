"""Students: networks or estimators that learn from labels and soft targets."""

from stillhouse.distillation.soft_targets import Teaching, student_sample
from stillhouse.learning.fitting import fit_student
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet


def students(job, threads, title, checkpoints):
    """Yield for each split: the split, the sample that the student learned from, the fitted student, and its history."""
    if job.is_network:
        sets = [training_set(job, split) for split in job.splits]
        for split, learned, fitted in zip(job.splits, sets, train(sets, threads, title, checkpoints), strict=True):
            yield split, learned.sample, *fitted
        return
    for split in job.splits:
        sample, soft = sample_and_targets(job, split)
        yield split, sample, *fit_student(sample, soft, job.options, job.n_classes, threads, job.seed(split))


def sample_and_targets(job, split):
    """Return a student's sample and its soft targets."""
    sample, features = job.sample(split), job.features(split)
    teaching = Teaching(job.sources, job.folds, job.classes, job.options)
    return student_sample(sample, features, split, job.ledger(split), teaching)


def training_set(job, split):
    """Return the training set of a split's networks."""
    sample, soft = sample_and_targets(job, split)
    hints, start = job.hints(split, sample), job.start(split)
    return TrainingSet(sample, soft, job.options, job.n_classes, job.seed(split), start, split.name, hints)
