"""Worlds small enough to explore: a heap of a few pages, a handful of objects, Ms in whatever state is wanted."""
