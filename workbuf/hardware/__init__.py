"""The hardware machine: real threads on flat memory, through the processor's own atomics."""
