"""Encoders of pictures: ``make(seed, **options)`` returns an object with ``fit(pixels)``, ``transform(pixels)`` and ``size_``.

``pixels`` is uint8 of shape (rows, channels, height, width); ``transform`` returns float64 of shape (rows, ``size_``). One
whose features are whole pictures states their ``kind``. One with ``exports: true`` in ``settings.yaml`` has the attributes of
``components.py``, ``gradients.py`` or ``pixels.py``.
"""
