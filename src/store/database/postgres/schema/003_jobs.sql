-- Work that waits its turn, runs, or is over. What changes with every step stands in one row; few indexes, for each is written with
-- each step.
CREATE TABLE jobs (
    id           TEXT COLLATE "C" PRIMARY KEY NOT NULL,  -- a UUID of version 7
    tenant       TEXT COLLATE "C" NOT NULL,
    source       TEXT NOT NULL,
    priority     BIGINT NOT NULL CHECK (priority BETWEEN 0 AND 2),  -- 0 is the most urgent
    kind         TEXT NOT NULL,
    task         TEXT NOT NULL,              -- JSON
    timeout_secs BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    dedupe_key   TEXT,
    subject      TEXT,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
    place        BIGINT NOT NULL,           -- among the waiting ones of its tenant
    attempt      BIGINT NOT NULL DEFAULT 0,
    given_back   BIGINT NOT NULL DEFAULT 0, -- attempts that do not count
    node         TEXT,                       -- that has it, or had it last
    lease_until  BIGINT,                    -- like all times: milliseconds since 1970
    created      BIGINT NOT NULL,
    since        BIGINT NOT NULL,           -- it waits
    not_before   BIGINT,                    -- it is taken
    started      BIGINT,
    finished     BIGINT,
    result       TEXT,                       -- JSON
    reason       TEXT
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX jobs_waiting ON jobs (tenant, priority, place, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (node, id) WHERE state = 'running';
CREATE INDEX jobs_over ON jobs (finished, state) WHERE finished IS NOT NULL;
CREATE INDEX jobs_about ON jobs (tenant, subject) WHERE subject IS NOT NULL AND state IN ('queued', 'running');
CREATE UNIQUE INDEX jobs_same ON jobs (tenant, dedupe_key) WHERE dedupe_key IS NOT NULL AND state IN ('queued', 'running');

-- What jobs told, for those who watch.
CREATE TABLE job_events (
    job     TEXT COLLATE "C" NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq     BIGINT NOT NULL,  -- from 1
    attempt BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    data    TEXT NOT NULL,     -- JSON
    PRIMARY KEY (job, seq)
);

-- What an attempt left for the next one: replies that were paid for, and the rest of a run.
CREATE TABLE job_files (
    job   TEXT COLLATE "C" NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name  TEXT COLLATE "C" NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (job, name)
);
