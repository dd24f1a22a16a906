"""Dynamic partial order reduction: of the interleavings that differ only in the order of independent steps, one each."""
