"""Errors that are the user's to mend."""


class BadInput(Exception):
    """The input or the arguments cannot be used. The text says what, where and what to do; exit code 2."""
