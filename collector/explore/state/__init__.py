"""What a thread keeps in Python, and how a state is recognised when it comes again."""
