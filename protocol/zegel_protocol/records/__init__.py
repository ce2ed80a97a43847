"""Records: their kinds, the slots that they lie in, and what stands where one was deleted.

Spec: ``protocol/spec/payloads.md``.
"""
