"""Test vectors: made here from the Python implementation's building side, run by every language.

An area is one module and one file ``protocol/vectors/<area>.json``. It has two halves that know nothing of each other:
`make` builds objects and states by hand what must come of them, `DOORS` says how the Python implementation plays a
case. Whoever adds an area writes such a module and adds it to `areas.AREAS`.
"""
