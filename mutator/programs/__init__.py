"""Programs for mutators to run, a file each; `registry.PROGRAMS` has them by name."""
