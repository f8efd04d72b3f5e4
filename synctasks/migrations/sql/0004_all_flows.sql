-- Units that are no row of one table, event logs, slots that do not run everything.

-- What was captured and rests until its flow's slot. A change names its unit and nothing else.
ALTER TABLE synctasks.change_log
    ADD COLUMN rests boolean NOT NULL DEFAULT false,
    DROP COLUMN payload;

-- Every change of a row whose every change counts, with the values that it left. Entries of a row
-- follow each other as its changes did: who changes it holds its lock.
CREATE TABLE synctasks.event_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    flow text NOT NULL,
    key text NOT NULL,
    "row" jsonb NOT NULL,
    captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (flow, key, id)
);

CREATE INDEX event_log_captured_at ON synctasks.event_log (captured_at);

-- `units`: a full run of some units only. `slot`: a run of what a schedule put into the change log.
ALTER TABLE synctasks.run
    ADD COLUMN units text[],
    DROP CONSTRAINT run_kind_check,
    ADD CONSTRAINT run_kind_check CHECK (kind IN ('full', 'keys', 'slot'));

-- Units that have rows at the target which they no longer have: these go in the second pass.
ALTER TABLE synctasks.chunk ADD COLUMN leftover text[];

-- At the target: which unit has a row, where several may come with the same one.
CREATE TABLE synctasks.claim (
    flow text NOT NULL,
    row_key text NOT NULL,
    unit text NOT NULL,
    PRIMARY KEY (flow, row_key)
);
