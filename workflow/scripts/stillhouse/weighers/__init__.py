"""Weighers: ``make(seed, **options)`` returns an estimator of the density ratio p_deploy(x) / p_train(x)."""
