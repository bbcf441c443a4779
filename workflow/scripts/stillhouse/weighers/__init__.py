"""Weighers: ``make(seed, **options)`` returns an estimator of the density ratio p_deploy(x) / p_train(x).

It has ``fit(train, deploy)``, ``ratio_`` of the training rows, and ``predict(X)`` for others; see ``density_ratio.py``.
"""
