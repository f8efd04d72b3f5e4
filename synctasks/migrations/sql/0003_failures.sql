-- Waiting for references, failures and what is done about them.

-- Records whose reference is not there yet. `needs` are names that somebody announces when it may
-- have come; `since` is null while the record's change is still tried by itself.
DROP TABLE synctasks.waiting;

CREATE TABLE synctasks.waiting (
    flow text NOT NULL,
    lane smallint NOT NULL,
    unit text NOT NULL,
    record text NOT NULL,
    needs text[] NOT NULL,
    since timestamptz,
    next_look timestamptz NOT NULL DEFAULT statement_timestamp() + interval '1 hour'
);

CREATE UNIQUE INDEX waiting_once
    ON synctasks.waiting (flow, hashtextextended(record, 0), hashtextextended(record, 1));

CREATE INDEX waiting_unit ON synctasks.waiting USING hash (unit);

CREATE INDEX waiting_needs ON synctasks.waiting USING gin (needs);

CREATE INDEX waiting_next_look ON synctasks.waiting (next_look);

-- How many workers in a row have died at the lane's work.
ALTER TABLE synctasks.lane ADD COLUMN deaths smallint NOT NULL DEFAULT 0;

-- How many workers have claimed the chunk and died of it.
ALTER TABLE synctasks.chunk ADD COLUMN claims smallint NOT NULL DEFAULT 0;

-- A flow's source or target that does not work: one probe now and then, instead of every lane.
-- `climber`: it is only slow so far, and this lane tries for all how long the work takes.
CREATE TABLE synctasks.breaker (
    flow text NOT NULL,
    side text NOT NULL CHECK (side IN ('source', 'target')),
    reason text NOT NULL,
    climber smallint,
    opened_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    probed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (flow, side)
);
