"""Whether a clinic's rows make sense together: checks, their results, and who is told (CONTRACT clinic §5.8).

Not here: whether the relations are as agreed (``clinic/checking.py``).
"""
