-- What outlives the process. No token, no key and no invite code stands in here in the clear.
-- Times are Unix milliseconds.

-- "CPst": so that we never migrate a database that is somebody else's.
PRAGMA application_id = 0x43507374;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    id          INTEGER PRIMARY KEY,
    code_hash   BLOB    NOT NULL UNIQUE CHECK (length(code_hash) = 32),  -- SHA-256
    short_code  TEXT    NOT NULL,  -- the code's first characters, to name it by
    name        TEXT    NOT NULL,  -- whom it is for, in the operator's words
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    consumed_ms INTEGER            -- NULL while it can be used
) STRICT;

CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
    handle       BLOB    NOT NULL UNIQUE CHECK (length(handle) = 32),  -- WebAuthn's user.id
    name         TEXT    NOT NULL,
    identity_url TEXT    NOT NULL,  -- the participant the token speaks for
    server_url   TEXT    NOT NULL,  -- where their posta-server is; the sealed token is bound to it
    sealed_token BLOB    NOT NULL,
    created_ms   INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL,  -- the last sign-in
    UNIQUE (server_url, identity_url)
) STRICT;

CREATE TABLE passkeys (
    credential_id   BLOB    PRIMARY KEY CHECK (length(credential_id) BETWEEN 1 AND 1023),
    user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    public_key      BLOB    NOT NULL,  -- SEC1, uncompressed
    sign_count      INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    transports      TEXT    NOT NULL,  -- separated by spaces
    aaguid          BLOB    NOT NULL CHECK (length(aaguid) = 16),
    wrapped_key     BLOB    NOT NULL,  -- the user's data key under this passkey's PRF output
    created_ms      INTEGER NOT NULL,
    used_ms         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_user ON passkeys (user_id);
