"""Encoders of texts: ``make(seed, **options)`` returns an object with ``fit(texts)``, ``transform(texts)`` and ``size_``.

``texts`` is an array of plain texts, see ``kinds.plain_texts``; ``transform`` returns float64 of shape (texts, ``size_``). An
encoder that counts has ``counts(texts)``, sparse, ``fit_counts(texts)``, which learns first, and ``components(counts)`` as
well, and with ``scores`` gets the label's scores by these counts; one whose features are no amounts states their ``kind``.
One with ``exports: true`` in ``settings.yaml`` has the attributes of ``ngrams.py`` or ``tokens.py``.
"""
