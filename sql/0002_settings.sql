-- What a person sees and changes in their settings.

-- What its owner calls it; empty for the name of its authenticator.
ALTER TABLE passkeys ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Passkeys that were taken away. Whoever proves to hold one may be told that it opens nothing any
-- more, so that what keeps it can let go of it; nobody else learns anything.
CREATE TABLE removed_passkeys (
    credential_id   BLOB    PRIMARY KEY,
    user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    public_key      BLOB    NOT NULL,
    backup_eligible INTEGER NOT NULL,
    removed_ms      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX removed_passkeys_by_user ON removed_passkeys (user_id);

-- An invite bears a person's name: it goes with the account it was used for. Sign-up uses the
-- invite and makes the account in the same millisecond of its own clock.
ALTER TABLE invites ADD COLUMN consumed_by INTEGER REFERENCES users (id) ON DELETE CASCADE;

UPDATE invites SET consumed_by = (SELECT id FROM users WHERE created_ms = consumed_ms);
