"""What the command line's words do: one module for each group of commands, and how they end.

A door, as ``cli.py`` is, which declares the words. What is done to data is in the domain.
"""
