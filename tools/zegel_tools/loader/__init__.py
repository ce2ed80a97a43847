"""Loads household files into a running server, as the people in them: real clients with real keys.

`household_folder` reads and checks, `plan` works out who does what in which order, `organisations` who works where,
`people` keeps one account a person, `drawing` makes attachments, `dossier_loader` carries a plan out, and `load` does
it all.
"""
