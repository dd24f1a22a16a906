"""What the project cites: tables that code, tests and README refer to."""
