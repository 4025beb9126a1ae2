"""The text inside files, read in a process of its own that may die; run as a module.

Hostile input is normal here; whoever starts the process is ``extraction.py``. No database, no network, no Dagster.
"""
