-- Every key begins with the account or the ledger: they are the units of consistency, placement and deletion.
-- Where a random id arrives without its ledger (an invitation, a file, a token), a unique index finds it.

CREATE TABLE account (
    account       BLOB NOT NULL PRIMARY KEY CHECK (length(account) = 16),
    handle_digest BLOB NOT NULL UNIQUE CHECK (length(handle_digest) = 32),
    state         INTEGER NOT NULL CHECK (state IN (1, 2)),  -- 1 active, 2 blocked
    sealed        BLOB NOT NULL,                             -- salt, parameters, keys, wraps: under the pepper
    created_day   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How many accounts have which password parameters: what is shown for handles that nobody has is drawn from this mix.
CREATE TABLE kdf_mix (
    memory_kib  INTEGER NOT NULL,
    passes      INTEGER NOT NULL,
    parallelism INTEGER NOT NULL,
    accounts    INTEGER NOT NULL,
    PRIMARY KEY (memory_kib, passes, parallelism)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    account       BLOB NOT NULL REFERENCES account (account) ON DELETE CASCADE,
    session       BLOB NOT NULL CHECK (length(session) = 16),
    token_digest  BLOB NOT NULL UNIQUE CHECK (length(token_digest) = 32),
    opened_ms     INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    last_seen_day INTEGER NOT NULL,
    client        TEXT NOT NULL,
    is_restricted INTEGER NOT NULL,                          -- opened by a recovery sheet, password not set yet
    PRIMARY KEY (account, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_expiry ON session (expires_ms);
CREATE INDEX session_by_use ON session (last_seen_day);

CREATE TABLE consent (
    account      BLOB NOT NULL REFERENCES account (account) ON DELETE CASCADE,
    consent      TEXT NOT NULL,
    given_ms     INTEGER NOT NULL,
    withdrawn_ms INTEGER NOT NULL,
    PRIMARY KEY (account, consent)
) STRICT, WITHOUT ROWID;

CREATE TABLE memory (
    account BLOB NOT NULL REFERENCES account (account) ON DELETE CASCADE,
    ledger  BLOB NOT NULL CHECK (length(ledger) = 16),
    counter INTEGER NOT NULL,
    box     BLOB NOT NULL,
    brief   BLOB NOT NULL,
    PRIMARY KEY (account, ledger)
) STRICT, WITHOUT ROWID;

-- Who was changed by a command beside a running server, which reads and empties this.
CREATE TABLE notice (
    account BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Follows from the ledgers, so that an account's ledgers are found without reading them.
CREATE TABLE membership (
    account      BLOB NOT NULL CHECK (length(account) = 16),
    ledger       BLOB NOT NULL CHECK (length(ledger) = 16),
    kind         INTEGER NOT NULL,
    organisation BLOB NOT NULL,                              -- the one that a dossier cites; else zeros
    last_index   INTEGER NOT NULL,                           -- the entry that ended it; -1 while it runs
    PRIMARY KEY (account, ledger)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    ledger       BLOB NOT NULL PRIMARY KEY CHECK (length(ledger) = 16),
    kind         INTEGER NOT NULL,
    organisation BLOB NOT NULL,
    head_index   INTEGER NOT NULL,
    head_hash    BLOB NOT NULL,
    freed_bytes  INTEGER NOT NULL DEFAULT 0                  -- erased, of what the envelopes' totals count
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    ledger      BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    entry_index INTEGER NOT NULL,
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    signed      BLOB NOT NULL,
    PRIMARY KEY (ledger, entry_index)
) STRICT, WITHOUT ROWID;

-- What follows from the entries up to an index; only saves replaying them.
CREATE TABLE ledger_state (
    ledger     BLOB NOT NULL PRIMARY KEY REFERENCES ledger (ledger) ON DELETE CASCADE,
    head_index INTEGER NOT NULL,
    state      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE wrap (
    ledger      BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    grantee     BLOB NOT NULL CHECK (length(grantee) = 16),
    entry_index INTEGER NOT NULL,
    number      INTEGER NOT NULL,                            -- of the wraps beside that entry
    wrap        BLOB NOT NULL,
    PRIMARY KEY (ledger, grantee, entry_index, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    ledger  BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    section BLOB NOT NULL CHECK (length(section) = 16),
    epoch   INTEGER NOT NULL,
    link    BLOB NOT NULL,
    PRIMARY KEY (ledger, section, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    ledger       BLOB NOT NULL CHECK (length(ledger) = 16),
    invite       BLOB NOT NULL UNIQUE CHECK (length(invite) = 16),
    is_operators INTEGER NOT NULL,                           -- a permission to write the ledger's first entry
    invite_key   BLOB NOT NULL CHECK (length(invite_key) = 32),
    box          BLOB NOT NULL,
    expires_ms   INTEGER NOT NULL,
    is_open      INTEGER NOT NULL,
    tries        INTEGER NOT NULL DEFAULT 0,                 -- handles that were taken
    accounts     INTEGER NOT NULL DEFAULT 0,                 -- accounts made with it
    PRIMARY KEY (ledger, invite)
) STRICT, WITHOUT ROWID;

CREATE TABLE permission (
    ledger  BLOB NOT NULL PRIMARY KEY CHECK (length(ledger) = 16),
    name    TEXT NOT NULL,                                   -- of the organisation: public
    account BLOB                                             -- who may write the first entry
) STRICT, WITHOUT ROWID;
CREATE INDEX permission_by_account ON permission (account) WHERE account IS NOT NULL;

CREATE TABLE claim (
    ledger            BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    invite            BLOB NOT NULL CHECK (length(invite) = 16),
    number            INTEGER NOT NULL,
    received_ms       INTEGER NOT NULL,
    acceptance        BLOB NOT NULL,
    account_signature BLOB NOT NULL,
    invite_signature  BLOB NOT NULL,
    note              BLOB NOT NULL,                         -- sealed for who invited
    PRIMARY KEY (ledger, invite, number)
) STRICT, WITHOUT ROWID;

-- `body` is the envelope as it arrived (form 1), or its skeleton once it was erased (form 2).
-- `total_bytes` counts the section's bodies up to here, so that a quota costs no row of its own.
CREATE TABLE envelope (
    ledger      BLOB NOT NULL,
    section     BLOB NOT NULL,
    position    INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    transcript  BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    form        INTEGER NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (ledger, section, position)
) STRICT, WITHOUT ROWID;

-- Ids that are taken in a section: of envelopes, and of records by their first version.
CREATE TABLE name (
    ledger   BLOB NOT NULL,
    section  BLOB NOT NULL,
    name     BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (ledger, section, name)
) STRICT, WITHOUT ROWID;

-- Versions of records. A message has no row here until it gets a second version.
CREATE TABLE version (
    ledger        BLOB NOT NULL,
    section       BLOB NOT NULL,
    record        BLOB NOT NULL,
    position      INTEGER NOT NULL,
    superseded_at INTEGER NOT NULL,                          -- position of the first version that follows it; 0: none
    is_message    INTEGER NOT NULL,
    PRIMARY KEY (ledger, section, record, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE chain (
    ledger   BLOB NOT NULL,
    section  BLOB NOT NULL,
    chain    BLOB NOT NULL,
    account  BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (ledger, section, chain)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt (
    ledger     BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    section    BLOB NOT NULL,
    account    BLOB NOT NULL,
    receipt    BLOB NOT NULL,
    PRIMARY KEY (ledger, section, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    ledger      BLOB NOT NULL REFERENCES ledger (ledger) ON DELETE CASCADE,
    file        BLOB NOT NULL UNIQUE CHECK (length(file) = 16),
    section     BLOB NOT NULL,
    account     BLOB NOT NULL,                               -- who uploads it
    size_bytes  INTEGER NOT NULL,
    chunks      INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    is_complete INTEGER NOT NULL,
    started_day INTEGER NOT NULL,
    PRIMARY KEY (ledger, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_unfinished ON file (account) WHERE is_complete = 0;

CREATE TABLE file_use (
    ledger   BLOB NOT NULL,
    file     BLOB NOT NULL,
    section  BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (ledger, file, section, position),
    FOREIGN KEY (ledger, file) REFERENCES file (ledger, file) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Files that no kept envelope lists, until housekeeping drops them.
CREATE TABLE loose_file (
    due_day INTEGER NOT NULL,
    ledger  BLOB NOT NULL,
    file    BLOB NOT NULL,
    PRIMARY KEY (due_day, ledger, file)
) STRICT, WITHOUT ROWID;
