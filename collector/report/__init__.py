"""What people look at: tables, logs, pages and timelines made from records."""
