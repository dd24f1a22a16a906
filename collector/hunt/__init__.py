"""From the log of a failed run on real threads to a schedule that fails in the same way on the stepped machine."""
