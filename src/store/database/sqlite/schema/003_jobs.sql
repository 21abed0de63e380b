-- Work that waits its turn, runs, or is over. What changes with every step stands in one row; few indexes, for each is written with
-- each step.
CREATE TABLE jobs (
    id           TEXT PRIMARY KEY NOT NULL,  -- a UUID of version 7
    tenant       TEXT NOT NULL,
    source       TEXT NOT NULL,
    priority     INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 2),  -- 0 is the most urgent
    kind         TEXT NOT NULL,
    task         TEXT NOT NULL,              -- JSON
    timeout_secs INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    dedupe_key   TEXT,
    subject      TEXT,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
    place        INTEGER NOT NULL,           -- among the waiting ones of its tenant
    attempt      INTEGER NOT NULL DEFAULT 0,
    given_back   INTEGER NOT NULL DEFAULT 0, -- attempts that do not count
    node         TEXT,                       -- that has it, or had it last
    lease_until  INTEGER,                    -- like all times: milliseconds since 1970
    created      INTEGER NOT NULL,
    since        INTEGER NOT NULL,           -- it waits
    not_before   INTEGER,                    -- it is taken
    started      INTEGER,
    finished     INTEGER,
    result       TEXT,                       -- JSON
    reason       TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX jobs_waiting ON jobs (tenant, priority, place, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (node, id) WHERE state = 'running';
CREATE INDEX jobs_over ON jobs (finished, state) WHERE finished IS NOT NULL;
CREATE INDEX jobs_about ON jobs (tenant, subject) WHERE subject IS NOT NULL AND state IN ('queued', 'running');
CREATE UNIQUE INDEX jobs_same ON jobs (tenant, dedupe_key) WHERE dedupe_key IS NOT NULL AND state IN ('queued', 'running');

-- How many wait, so that nobody has to count them for each that comes.
CREATE TABLE jobs_queued (number INTEGER NOT NULL) STRICT;
INSERT INTO jobs_queued VALUES (0);
CREATE TRIGGER jobs_come AFTER INSERT ON jobs WHEN new.state = 'queued'
BEGIN UPDATE jobs_queued SET number = number + 1; END;
CREATE TRIGGER jobs_go AFTER UPDATE OF state ON jobs WHEN old.state = 'queued' AND new.state <> 'queued'
BEGIN UPDATE jobs_queued SET number = number - 1; END;
CREATE TRIGGER jobs_return AFTER UPDATE OF state ON jobs WHEN old.state <> 'queued' AND new.state = 'queued'
BEGIN UPDATE jobs_queued SET number = number + 1; END;
CREATE TRIGGER jobs_vanish AFTER DELETE ON jobs WHEN old.state = 'queued'
BEGIN UPDATE jobs_queued SET number = number - 1; END;

-- What jobs told, for those who watch.
CREATE TABLE job_events (
    job     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,  -- from 1
    attempt INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    data    TEXT NOT NULL,     -- JSON
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

-- What an attempt left for the next one: replies that were paid for, and the rest of a run.
CREATE TABLE job_files (
    job   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name  TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (job, name)
) STRICT;
