-- Conversations, and what was said in them.
CREATE TABLE threads (
    id       TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    title    TEXT NOT NULL,
    run      TEXT,              -- what it is about; NULL where it is about nothing of ours
    issue    TEXT,              -- of that run
    reviewer TEXT,              -- who is asked where a message does not say
    context  TEXT,              -- told to the model before everything else: the issue and its code as reviewers saw them
    created  BIGINT NOT NULL    -- milliseconds since 1970
);

CREATE INDEX threads_about ON threads (tenant, run, issue, reviewer, created) WHERE run IS NOT NULL;

CREATE TABLE messages (
    id         TEXT PRIMARY KEY NOT NULL,
    thread     TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    place      BIGINT NOT NULL,   -- in the thread, from 0
    role       TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content    TEXT NOT NULL,
    provider   TEXT NOT NULL,     -- the reviewer's id
    model      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    scope      TEXT NOT NULL CHECK (scope IN ('private', 'org')),
    caller     TEXT NOT NULL,
    credential BYTEA NOT NULL,    -- a hash: who sees it where scope is private
    tokens_in  BIGINT,
    tokens_out BIGINT,
    cost_usd   DOUBLE PRECISION,
    created    BIGINT NOT NULL,
    UNIQUE (thread, place)
);
