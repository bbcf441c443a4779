"""Models that are fitted: ``make(task, threads, seed, **options)`` returns a scikit-learn estimator."""
