"""Resamplers: ``make(**options)`` returns a function of (sample, rng) that returns the sample to fit on."""
