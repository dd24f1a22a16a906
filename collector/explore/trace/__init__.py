"""Traces: records a schedule step by step, with source lines, shortens it, and prints it as text."""
