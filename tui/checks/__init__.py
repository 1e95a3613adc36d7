"""The doctor: one small module a check."""
