"""Networks that are trained: ``make(inputs, n_outputs, **options)`` returns an ``architecture.Network``."""
