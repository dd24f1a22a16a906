"""A schedule written down: its steps, their source lines, and what of it a reader needs."""
