"""The stress run: loads a real heap into the model, runs Ms on real threads, collects, audits."""
