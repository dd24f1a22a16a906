"""Output for people: tables, logs, HTML pages and timelines, all made from records."""
