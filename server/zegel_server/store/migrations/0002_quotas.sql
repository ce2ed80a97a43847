-- What a ledger may store before it must ask again: taken in steps from what its organisation may, so that nothing is
-- counted over all dossiers while somebody writes.
ALTER TABLE ledger ADD COLUMN reserved_bytes INTEGER NOT NULL DEFAULT 0;
-- Entries with all that came beside them.
ALTER TABLE ledger ADD COLUMN entry_bytes INTEGER NOT NULL DEFAULT 0;
-- Whether the account wrote the first entry.
ALTER TABLE membership ADD COLUMN is_founder INTEGER NOT NULL DEFAULT 0;

-- Of an organisation: the sum of what its dossiers, and its own ledger, have reserved.
CREATE TABLE organisation_storage (
    ledger         BLOB NOT NULL PRIMARY KEY CHECK (length(ledger) = 16),
    reserved_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
