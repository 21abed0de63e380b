-- Who may ask. A key itself is nowhere.
CREATE TABLE callers (
    name   TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tenant TEXT,                                               -- the only one it may ask for; NULL: whichever it names
    key    BYTEA NOT NULL UNIQUE CHECK (octet_length(key) = 32),  -- SHA-256
    since  BIGINT NOT NULL                                     -- milliseconds since 1970
);
