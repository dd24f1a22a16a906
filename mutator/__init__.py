"""The program being collected: Ms, goroutines and their stacks, the heap, channels, and the write barrier's call site."""
