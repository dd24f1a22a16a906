"""The hardware machine: operating-system threads on a flat memory, with the processor's own atomics."""
