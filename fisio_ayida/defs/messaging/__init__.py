"""Messaging in Dagster: the outbox as an asset, the job that sends, the sensor that asks for it, and their report.

Declarations and what the UI shows. Not here: what a message is and how it is sent (``fisio_ayida/messaging``).
"""
