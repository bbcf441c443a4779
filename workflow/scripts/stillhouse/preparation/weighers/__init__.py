"""Weighers: ``make(seed, **options)`` returns the candidates of `density_ratio.CrossFitted`, none for equal weights."""
