"""Statistics used for scoring: Poisson regression, EM, bootstrap, rank correlation."""
