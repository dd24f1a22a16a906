"""Work that many processes share: one program's search in parts, and campaigns of many tasks, resumable."""
