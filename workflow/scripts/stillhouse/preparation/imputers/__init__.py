"""Imputers: ``make(seed, **options)`` returns an object with ``fit`` and ``transform``, as `preparation/imputing.py` describes.

One with ``exports: true`` in ``settings.yaml`` is a ``NumericImputer`` that wraps an imputer of scikit-learn's with
``statistics_``. One that leaves out training rows has a method ``drops``.
"""
