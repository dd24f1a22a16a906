"""The stress run: a real heap placed into the model, real threads as Ms, and what is left of both at the end."""
