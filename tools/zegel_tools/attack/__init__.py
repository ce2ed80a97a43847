"""Plays the malicious server: a real server stands behind, unchanged clients in front, and a schemer in between.

`proxy` carries everything, `schemer` is what an attack overrides.
"""
