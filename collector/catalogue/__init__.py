"""The catalogue: every entry that code, tests and README cite by a number, and the table of intended data races.

    I1 .. I15      invariants: what always holds, and which code guards it       invariants.toml
    K-1 .. K-33    bugs that are known to Go's developers                        known.toml
    O-1 .. O-27    findings about the seed, by reading and model checking        found.toml
    W1 .. W18      worked examples, which tests use as vectors                   examples.toml
    S1 .. S29      experiments: the questions that scenarios answer              experiments.toml

The *seed* is the commit of Go that is modelled.  corrections.toml lists where the default differs from it.
`python -m collector.run explain K-1` prints an entry; a test checks that every citation has one.
"""
