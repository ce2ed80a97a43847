"""What the store says when it cannot do what it was asked.

Exception
+-- StoreError
    +-- NoSpaceError      the disk is full or fails: nothing was written
    +-- ConflictError     something that is unique is there already
    +-- DisplacedError    an earlier write of the same group failed, so this one was not tried
    +-- SchemaError       the database was made by a version that this one cannot read
"""

from __future__ import annotations


class StoreError(Exception):
    """The store did not do it."""


class NoSpaceError(StoreError):
    """The disk is full or fails; nothing was written."""


class ConflictError(StoreError):
    """Something that is unique is there already."""


class DisplacedError(StoreError):
    """An earlier write of the same group failed, so this one was not tried."""


class SchemaError(StoreError):
    """The database was made by a version that this one cannot read."""
