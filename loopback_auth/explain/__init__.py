"""Explanations: of a flow, rehearsed or recorded, step by step; of links, errors and tokens."""
