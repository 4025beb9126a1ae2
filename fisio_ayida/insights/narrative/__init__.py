"""Facts put into words by a language model, where one is configured: asked in a budget, checked, never trusted.

Here: what is sent and how, what it costs, what of an answer is kept. Not here: the facts themselves.
"""
