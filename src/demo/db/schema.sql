-- One participant's state. The demo keeps no promise across versions: a file of another version is
-- refused, not migrated.
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);

CREATE TABLE setup_invites (
    sha256 BLOB PRIMARY KEY,
    device_name TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE contacts (
    peer TEXT PRIMARY KEY, -- canonical
    name TEXT NOT NULL DEFAULT '',
    avatar TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    last_read INTEGER NOT NULL DEFAULT 0,
    added_at INTEGER NOT NULL,
    blocked INTEGER NOT NULL DEFAULT 0, -- what they send is refused
    member INTEGER NOT NULL DEFAULT 0   -- of the room that this participant is
) WITHOUT ROWID;

CREATE TABLE messages (
    row_id INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    peer TEXT NOT NULL,
    outbound INTEGER NOT NULL,
    payload TEXT NOT NULL, -- JSON in the form of the wire
    words TEXT NOT NULL,   -- what search looks through
    state TEXT,            -- outbound only
    error TEXT,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,       -- when it is tried next; only while pending
    envelope BLOB,         -- the bytes that were or will be sent
    signature TEXT,
    UNIQUE (peer, outbound, id)
);
CREATE INDEX messages_of_thread ON messages (peer, row_id);
CREATE INDEX messages_due ON messages (next_at) WHERE next_at IS NOT NULL;

CREATE VIRTUAL TABLE found USING fts5 (
    words, content = 'messages', content_rowid = 'row_id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER messages_found AFTER INSERT ON messages BEGIN
    INSERT INTO found (rowid, words) VALUES (new.row_id, new.words);
END;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    request BLOB NOT NULL, -- SHA-256 of what was asked, so that a key is not used for two things
    row_id INTEGER NOT NULL
) WITHOUT ROWID;

-- Uploads, in pieces so that none is ever held in memory whole. Unnamed until they are complete.
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE, -- upload-<sha>.<ext>
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE upload_pieces (
    upload INTEGER NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (upload, n)
) WITHOUT ROWID;
