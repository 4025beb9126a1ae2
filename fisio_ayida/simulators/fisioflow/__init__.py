"""A stand-in of FisioFlow's database: three made-up clinics, one scripted day, and what must come of it.

Here: rows, the script, and the truth to check jobs against, by plain Python over those rows. Not here: any job.
"""
