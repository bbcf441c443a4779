"""Imputers: ``make(**options)`` returns a scikit-learn transformer that fills the gaps of numeric columns."""
