"""Plays the malicious server: a real server stands behind, unchanged clients in front, and a schemer in between.

`proxy` carries everything and `schemer` is what an attack overrides. `forger` shows ledgers and sections of its own
making; `room` sets the stage; `plays` holds the attacks; `catalogue` lists them and `command` is `./zegel attack`.
"""
