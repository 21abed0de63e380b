-- Who may ask. A key itself is nowhere.
CREATE TABLE callers (
    name   TEXT PRIMARY KEY NOT NULL,
    tenant TEXT,                                        -- the only one it may ask for; NULL: whichever it names
    key    BLOB NOT NULL UNIQUE CHECK (length(key) = 32),  -- SHA-256
    since  INTEGER NOT NULL                             -- milliseconds since 1970
) STRICT;
