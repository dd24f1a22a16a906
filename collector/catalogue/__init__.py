"""What the project cites: invariants, known bugs, worked examples, experiments, and the table of racing accesses.

    I1 .. I15      invariants: what always holds, and who guards it              invariants.toml
    K-1 .. K-33    bugs that Go knows of                                         known.toml
    O-1 .. O-27    what reading and model checking the seed showed beside them   found.toml
    W1 .. W18      worked examples, which tests have as vectors                  examples.toml
    S1 .. S29      experiments: what scenarios answer or are to answer           experiments.toml

corrections.toml says what the default does otherwise than the seed.  `python -m collector.run explain K-1` prints an entry;
a test finds no citation, in code, tests or README, that is not one.
"""
