"""Insights in Dagster: their asset with a partition a day, its checks and report, the sensor that asks for runs.

Declarations and what the UI shows. Not here: what insights are and how they come about (``fisio_ayida/insights``).
"""
