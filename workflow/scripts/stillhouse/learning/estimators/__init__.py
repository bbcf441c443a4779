"""Models that are fitted: ``make(n_classes, threads, seed, **options)`` returns a scikit-learn estimator."""
