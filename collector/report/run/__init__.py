"""The reports of a stress run: gctrace lines, summary, page, timeline, failure."""
