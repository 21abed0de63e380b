-- Messages of platforms that were acted upon: hashes of their ids and of their bodies, the last twenty thousand of a month.
CREATE TABLE deliveries (
    key TEXT COLLATE "C" PRIMARY KEY NOT NULL,  -- hexadecimal
    at  BIGINT NOT NULL                         -- milliseconds since 1970
);

CREATE INDEX deliveries_at ON deliveries (at);
