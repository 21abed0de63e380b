-- Daemons that share answers.
CREATE TABLE nodes (
    id      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    address TEXT NOT NULL,
    seen    BIGINT NOT NULL   -- milliseconds since 1970
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
