"""Widgets that draw their own rows."""
