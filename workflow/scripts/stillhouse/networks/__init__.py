"""Networks that are trained: ``make(n_inputs, n_outputs, **options)`` returns a ``torch.nn.Module``."""
