"""Imputers: ``make(seed, **options)`` returns an object with ``fit`` and ``transform``, as `preparation/imputing.py` describes.

One with ``exports`` is a ``NumericImputer`` of scikit-learn's with ``statistics_``; one that leaves out training rows has
``drops``.
"""
