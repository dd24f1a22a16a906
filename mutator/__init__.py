"""The mutator, the program being collected: Ms, goroutines, stacks, heap, channels, the call site of the write barrier."""
