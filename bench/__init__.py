"""Comparisons and limits, each a command: ``python -m bench NAME``, all of them with ``python -m bench``.

Here: what is measured, against what, and how the results are kept. Not here: tests. A benchmark reports a
missed target and still ends well; only a measurement that could not be made is a failure.
"""
