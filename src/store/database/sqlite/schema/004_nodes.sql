-- Daemons that share answers.
CREATE TABLE nodes (
    id      TEXT PRIMARY KEY NOT NULL,
    address TEXT NOT NULL,
    seen    INTEGER NOT NULL   -- milliseconds since 1970
) STRICT;
