"""Measures designs side by side: the same heaps, programs and seeds, on real threads and on the stepped machine."""
