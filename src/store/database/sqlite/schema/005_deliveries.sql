-- Messages of platforms that were acted upon: hashes of their ids and of their bodies, the last twenty thousand of a month.
CREATE TABLE deliveries (
    key TEXT PRIMARY KEY NOT NULL,  -- hexadecimal
    at  INTEGER NOT NULL            -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_at ON deliveries (at);
