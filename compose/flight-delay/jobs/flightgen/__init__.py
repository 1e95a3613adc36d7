"""The generator of sample flights; the entry point is ../generate.py."""
