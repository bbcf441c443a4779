"""Models made of models: boosted, bagged and stacked."""
