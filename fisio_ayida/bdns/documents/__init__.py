"""The documents of calls and plans: fetched, stored once for equal bytes, their text made searchable.

``service.py`` is the way in. What is announced comes from the mirror's child tables; Dagster is not known here.
"""
