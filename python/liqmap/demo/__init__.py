"""A simulated market whose positions are known, so that a modelled map can be held against the truth."""
