"""Encoders of texts: ``make(seed, **options)`` returns an object with ``fit(texts)``, ``transform(texts)`` and ``size_``.

``texts`` is an array of plain texts, see ``kinds.plain_texts``; ``transform`` returns float64 of shape (texts, ``size_``).
One with ``exports: true`` in ``settings.yaml`` has the attributes of ``ngrams.py``.
"""
