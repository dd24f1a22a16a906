"""The programs that mutators run (workloads), one to a file; `registry.PROGRAMS` lists them by name."""
