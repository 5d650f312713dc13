"""A simulated market with known positions, to compare a modelled map with the true liquidation levels."""
