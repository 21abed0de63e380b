-- That the schema is ours, and how many migrations it has had.
CREATE TABLE scrum_schema (version BIGINT NOT NULL);
INSERT INTO scrum_schema VALUES (0);

-- What each writer kept last: how it learns whether a commit was kept whose answer was cut off.
CREATE TABLE scrum_commits (
    writer TEXT PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL,
    at     BIGINT NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
