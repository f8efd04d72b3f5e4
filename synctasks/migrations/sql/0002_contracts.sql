-- Contracts, dead letters, guarded removals, full runs that move only what differs.

-- Removals that the guard holds back: their changes, out of the workers' way, until the unit is
-- there again or somebody accepts that it is gone.
CREATE TABLE synctasks.held (
    flow text NOT NULL,
    key text NOT NULL,
    lane smallint NOT NULL,
    captured_at timestamptz NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp()
);

CREATE UNIQUE INDEX held_once
    ON synctasks.held (flow, hashtextextended(key, 0), hashtextextended(key, 1));

CREATE INDEX held_key ON synctasks.held USING hash (key);

ALTER TABLE synctasks.change_log
    ADD COLUMN removal_accepted boolean NOT NULL DEFAULT false;

-- Who held the lane when: see the engine's turns.
ALTER TABLE synctasks.lane
    ADD COLUMN turn bigint NOT NULL DEFAULT 0,
    ADD COLUMN settled_turn bigint NOT NULL DEFAULT 0;

-- Of the removed ones, those that somebody had accepted: the guard does not count them again.
ALTER TABLE synctasks.history
    ADD COLUMN accepted bigint NOT NULL DEFAULT 0;

-- One letter for each record until it passes; a discarded one stays quiet while the record is
-- wrong in the same way. The source row is a Fernet token.
ALTER TABLE synctasks.dead_letter
    ADD COLUMN messages jsonb,
    ALTER COLUMN source_row TYPE text USING convert_from(source_row, 'UTF8');

DROP INDEX synctasks.dead_letter_unsettled;

-- Hashes, since a key may be as long as an index allows: beside a flow's name it does not fit.
CREATE UNIQUE INDEX dead_letter_unresolved
    ON synctasks.dead_letter (
        flow, kind, hashtextextended(record, 0), hashtextextended(record, 1)
    )
    WHERE state <> 'resolved';

CREATE INDEX dead_letter_unit ON synctasks.dead_letter USING hash (unit) WHERE state <> 'resolved';

ALTER TABLE synctasks.deferred DROP CONSTRAINT deferred_pkey;

CREATE UNIQUE INDEX deferred_once
    ON synctasks.deferred (flow, hashtextextended(key, 0), hashtextextended(key, 1));

CREATE INDEX deferred_key ON synctasks.deferred USING hash (key);

-- `prefilter`: how a run finds what differs, as far as the two servers allow. `row_bytes`: the
-- source's mean row. `cursor_range`: the number of the range whose target keys are walked.
ALTER TABLE synctasks.run
    ADD COLUMN accepts_shrink boolean NOT NULL DEFAULT false,
    ADD COLUMN prefilter text CHECK (prefilter IN ('ranges', 'rows', 'none')),
    ADD COLUMN row_bytes integer,
    ADD COLUMN cursor_range integer;

-- A range of the source's keys, above `low` up to `high`, is compared first; the keys that
-- have to be reconciled (`handed`) go into chunks of one lane. `extras`: whether the target may
-- hold keys within the range that the source does not have (null: nobody looked).
ALTER TABLE synctasks.chunk
    ALTER COLUMN lane DROP NOT NULL,
    -- Keys are added again and again; to compress them each time costs more than it saves.
    ALTER COLUMN keys SET STORAGE EXTERNAL,
    DROP CONSTRAINT chunk_phase_check,
    ADD CONSTRAINT chunk_phase_check CHECK (phase IN ('range', 'source', 'target')),
    ADD COLUMN low text,
    ADD COLUMN high text,
    ADD COLUMN handed integer NOT NULL DEFAULT 0,
    ADD COLUMN differing integer NOT NULL DEFAULT 0,
    ADD COLUMN extras boolean,
    ADD CONSTRAINT chunk_lane_check CHECK ((lane IS NULL) = (phase = 'range'));
