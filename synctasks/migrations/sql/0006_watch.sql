-- What it takes to see how the flows are doing, and to steer them.

-- Flows that somebody has paused, until `resumed_at`: their changes go on being captured.
CREATE TABLE synctasks.pause (
    flow text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    resumed_at timestamptz,
    actor text NOT NULL,
    reason text
);

-- The minutes of full runs stand here, too; `captured` are the changes of that same day.
ALTER TABLE synctasks.history ADD COLUMN captured bigint NOT NULL DEFAULT 0;

CREATE INDEX history_minute ON synctasks.history (minute);

-- The minutes that are closed, by day, and all of them: small, and kept for good. `captured` counts
-- by the day of the capture, however late the change was taken.
CREATE TABLE synctasks.day (
    flow text NOT NULL,
    day date NOT NULL,
    taken bigint NOT NULL DEFAULT 0,
    units bigint NOT NULL DEFAULT 0,
    coalesced bigint NOT NULL DEFAULT 0,
    captured bigint NOT NULL DEFAULT 0,
    read bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    filtered bigint NOT NULL DEFAULT 0,
    deferred bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    superseded bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    latency bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (flow, day)
);

CREATE TABLE synctasks.total (LIKE synctasks.day INCLUDING DEFAULTS);

ALTER TABLE synctasks.total
    DROP COLUMN day,
    ADD PRIMARY KEY (flow);

ALTER TABLE synctasks.installation
    ADD COLUMN closed_through timestamptz NOT NULL
        DEFAULT date_trunc('minute', statement_timestamp());

UPDATE synctasks.installation
SET closed_through = least(closed_through, (SELECT min(minute) FROM synctasks.history));

-- What was visible when, second by second, for some minutes: so long did a transaction run.
CREATE TABLE synctasks.tick (
    at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    snapshot pg_snapshot NOT NULL DEFAULT pg_current_snapshot()
);

-- A row that the listener changes every few seconds, and what has arrived from the other side:
-- flows like all others.
CREATE TABLE synctasks.heartbeat (
    direction text PRIMARY KEY,
    beat_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE synctasks.heartbeat_arrived (LIKE synctasks.heartbeat INCLUDING ALL)
WITH (fillfactor = 50);

-- When a process was last heard of: the listener, beat, a worker of each queue.
CREATE TABLE synctasks.presence (
    process text PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT statement_timestamp()
) WITH (fillfactor = 50);

-- What somebody has to look at: of a flow, or of anything else by its name. `seen_at`: when it was
-- so last. `told_at`, `end_told_at`: when it was delivered that it fires, that it is over.
CREATE TABLE synctasks.alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    about text NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    resolved_at timestamptz,
    told_at timestamptz,
    end_told_at timestamptz,
    next_try timestamptz NOT NULL DEFAULT statement_timestamp()
);

CREATE UNIQUE INDEX alert_firing ON synctasks.alert (name, about) WHERE resolved_at IS NULL;

CREATE INDEX dead_letter_open ON synctasks.dead_letter (flow) WHERE state = 'open';

CREATE INDEX run_shown ON synctasks.run (flow, id)
    WHERE kind IN ('full', 'slot') AND state <> 'requested';

CREATE INDEX run_finished ON synctasks.run (finished_at);

CREATE INDEX audit_at ON synctasks.audit (at);
