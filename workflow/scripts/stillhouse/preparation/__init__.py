"""From typed columns to the sample that models are fitted on: features, weights, balance."""
