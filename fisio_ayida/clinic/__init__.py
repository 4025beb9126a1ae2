"""FisioFlow's background work: what each job decides about the clinics' data, and what it asks of the outbox.

Here: the contract with FisioFlow's database, the registry of jobs, and one module for each job's rules. No
Dagster, no clock. Not here: sending (``messaging/``), schedules and assets (``defs/clinic``).
"""
