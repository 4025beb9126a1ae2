"""FisioFlow's jobs in Dagster: assets, partitions, checks on the clinic's tables, schedules, a sensor, reports.

Declarations and what the UI shows. Not here: what a job does (``fisio_ayida/clinic``).
"""
