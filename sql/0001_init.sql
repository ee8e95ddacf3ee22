-- Everything that outlives the process. No token, no key and no invite code is in here in the clear.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
    id          INTEGER PRIMARY KEY,
    code_hash   BLOB    NOT NULL UNIQUE,  -- SHA-256 of the code's 32 bytes
    short_code  TEXT    NOT NULL,         -- the code's first characters, to name it by
    name        TEXT    NOT NULL,         -- whom it is for, in the operator's words
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    consumed_ms INTEGER                   -- NULL while it can be used
) STRICT;

CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
    handle       BLOB    NOT NULL UNIQUE,            -- WebAuthn's user.id, 32 random bytes
    name         TEXT    NOT NULL,
    identity_url TEXT    NOT NULL,
    server_url   TEXT    NOT NULL,
    sealed_token BLOB    NOT NULL,
    created_ms   INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL,
    UNIQUE (server_url, identity_url)
) STRICT;

CREATE TABLE passkeys (
    credential_id   BLOB    PRIMARY KEY,
    user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    public_key      BLOB    NOT NULL,  -- SEC1, uncompressed
    sign_count      INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    transports      TEXT    NOT NULL,  -- separated by spaces
    aaguid          BLOB    NOT NULL,
    wrapped_key     BLOB    NOT NULL,  -- the user's data key under this passkey's PRF output
    created_ms      INTEGER NOT NULL,
    used_ms         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_by_user ON passkeys (user_id);
