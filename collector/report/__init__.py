"""What people look at: the flight recorder and everything that reads it."""
