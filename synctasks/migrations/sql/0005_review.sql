-- What the clock asks of a flow beside its sync: a nightly verify, a look for what is stale.

-- A flow has slots of several duties, each with an hour of its own.
ALTER TABLE synctasks.slot
    ADD COLUMN duty text NOT NULL DEFAULT 'sync'
        CHECK (duty IN ('sync', 'verify', 'review')),
    DROP CONSTRAINT slot_pkey,
    ADD PRIMARY KEY (flow, duty, due_at);

-- A round goes through all records of a flow, step by step: up to `cursor_key`, or, where it looks
-- at a part of the target, from there to `bound_key`. `found` counts what it found.
ALTER TABLE synctasks.run
    ADD COLUMN bound_key text,
    ADD COLUMN found jsonb,
    DROP CONSTRAINT run_kind_check,
    ADD CONSTRAINT run_kind_check CHECK (kind IN ('full', 'keys', 'slot', 'verify', 'review'));

CREATE INDEX run_rounds ON synctasks.run (kind, flow, id) WHERE kind IN ('verify', 'review');

-- Source rows that nobody has updated for a long time, by their primary key; `key` is what people
-- know them by.
CREATE TABLE synctasks.review (
    flow text NOT NULL,
    record text NOT NULL,
    key text NOT NULL,
    last_updated timestamptz NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (flow, record)
);

CREATE INDEX review_oldest ON synctasks.review (last_updated, flow, record);
