"""Dynamic partial order reduction (DPOR): explores one interleaving of each class of equivalent ones."""
