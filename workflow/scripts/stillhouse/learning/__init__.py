"""The jobs that fit models, and estimators from libraries."""
