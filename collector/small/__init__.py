"""Building blocks for programs small enough to explore: small worlds, a pool of work for getfull, list views for traces."""
