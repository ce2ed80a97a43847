"""The ledger of a dossier or organisation: who is a member, who may read, write and give what, under which keys.

`operations` are what an entry may say, `entry` signs and verifies it, `state` is what follows from all entries,
`rules` decide whether an entry may follow, `wraps` which wraps must travel with it, `validity` whether an envelope
counts. Spec: ``protocol/spec/ledger.md``.
"""
