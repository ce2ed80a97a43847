-- Inside a section keys begin with a number that stands for its ledger and itself; the section's own row begins with its
-- ledger. See docs/decisions/0011-places-and-names.md.

-- Numbers count within this database: a ledger that moves to another one is numbered anew there.
CREATE TABLE section (
    ledger  BLOB NOT NULL CHECK (length(ledger) = 16),
    section BLOB NOT NULL CHECK (length(section) = 16),
    number  INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 0x7fffffff),
    PRIMARY KEY (ledger, section)
) STRICT, WITHOUT ROWID;
INSERT INTO section (ledger, section, number)
    SELECT ledger, section, row_number() OVER (ORDER BY ledger, section)
    FROM (SELECT DISTINCT ledger, section FROM envelope);

-- `place` is the section's number above 32 bits of position, so that a section is one run of the key. It is the rowid:
-- rows are long, and in a clustered index each would stand in the inner pages too, and make them many.
-- `body` is the envelope as it arrived (form 1), or its skeleton once it was erased (form 2).
-- `total_bytes` counts the section's bodies up to here, so that a quota costs no row of its own.
ALTER TABLE envelope RENAME TO old_envelope;
CREATE TABLE envelope (
    place       INTEGER NOT NULL PRIMARY KEY,
    hash        BLOB NOT NULL,
    transcript  BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    form        INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
INSERT INTO envelope (place, hash, transcript, received_ms, total_bytes, form, body)
    SELECT number << 32 | position, hash, transcript, received_ms, total_bytes, form, body
    FROM old_envelope JOIN section USING (ledger, section) ORDER BY 1;
DROP TABLE old_envelope;

-- Ids that are taken in a section: of envelopes, and of records by their first version.
ALTER TABLE name RENAME TO old_name;
CREATE TABLE name (
    number   INTEGER NOT NULL,
    name     BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (number, name)
) STRICT, WITHOUT ROWID;
INSERT INTO name (number, name, position)
    SELECT number, name, position FROM old_name JOIN section USING (ledger, section);
DROP TABLE old_name;

-- The newest of them, until there are enough to be put into their order many at a time.
CREATE TABLE new_name (
    number   INTEGER NOT NULL,
    name     BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (number, name)
) STRICT, WITHOUT ROWID;

-- Versions of records. A message has no row here until it gets a second version.
ALTER TABLE version RENAME TO old_version;
CREATE TABLE version (
    number        INTEGER NOT NULL,
    record        BLOB NOT NULL,
    position      INTEGER NOT NULL,
    superseded_at INTEGER NOT NULL,                          -- position of the first version that follows it; 0: none
    is_message    INTEGER NOT NULL,
    PRIMARY KEY (number, record, position)
) STRICT, WITHOUT ROWID;
INSERT INTO version (number, record, position, superseded_at, is_message)
    SELECT number, record, position, superseded_at, is_message FROM old_version JOIN section USING (ledger, section);
DROP TABLE old_version;

ALTER TABLE chain RENAME TO old_chain;
CREATE TABLE chain (
    number   INTEGER NOT NULL,
    chain    BLOB NOT NULL,
    account  BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (number, chain)
) STRICT, WITHOUT ROWID;
INSERT INTO chain (number, chain, account, sequence, hash)
    SELECT number, chain, account, sequence, hash FROM old_chain JOIN section USING (ledger, section);
DROP TABLE old_chain;
