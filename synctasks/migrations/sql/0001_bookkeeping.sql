-- The bookkeeping of the flows that start in this database, and the lane counts of those that
-- end here. Every flow's rows change in the transaction that forgets its changes.

-- What the application committed and nobody has carried over yet. Written by triggers inside
-- the application's transactions: its only unique key is an identity nobody can wait for.
CREATE TABLE synctasks.change_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    flow text NOT NULL,
    lane smallint NOT NULL,
    key text NOT NULL,
    operation text NOT NULL
        CHECK (operation IN ('insert', 'update', 'delete', 'request')),
    origin text NOT NULL DEFAULT 'captured'
        CHECK (origin IN ('captured', 'key', 'replay', 'repair', 'callback', 'woken')),
    run bigint,
    payload jsonb,
    attempts smallint NOT NULL DEFAULT 0,
    not_before timestamptz,
    captured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (flow, lane, id)
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_cost_delay = 0
);

-- One row for each share of a flow's keys that one worker at a time works off.
CREATE TABLE synctasks.lane (
    flow text NOT NULL,
    lane smallint NOT NULL,
    started_at timestamptz,
    batch_limit integer NOT NULL DEFAULT 500 CHECK (batch_limit >= 1),
    retry_at timestamptz,
    PRIMARY KEY (flow, lane)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- At the target: how many lanes a flow has. The source's lane rows follow it.
CREATE TABLE synctasks.lane_count (
    flow text PRIMARY KEY,
    lanes smallint NOT NULL CHECK (lanes BETWEEN 1 AND 64)
);

-- Units whose captured change the event filter held back, until the next full run.
CREATE TABLE synctasks.deferred (
    flow text NOT NULL,
    key text NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (flow, key)
);

-- Records whose reference is not there yet; `needs` names what would wake them.
CREATE TABLE synctasks.waiting (
    flow text NOT NULL,
    unit text NOT NULL,
    record text NOT NULL,
    needs text NOT NULL,
    since timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (flow, unit, record)
);

CREATE INDEX waiting_needs ON synctasks.waiting (needs);

CREATE TABLE synctasks.dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('record', 'task', 'crash')),
    category text,
    unit text NOT NULL,
    record text NOT NULL,
    error text NOT NULL,
    stack_trace text,
    source_row bytea,
    attempts jsonb NOT NULL DEFAULT '[]',
    count bigint NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'replayed', 'resolved', 'discarded')),
    first_seen timestamptz NOT NULL DEFAULT statement_timestamp(),
    last_seen timestamptz NOT NULL DEFAULT statement_timestamp(),
    acted_by text,
    reason text
);

CREATE UNIQUE INDEX dead_letter_unsettled
    ON synctasks.dead_letter (flow, kind, record)
    WHERE state IN ('open', 'replayed');

-- Full runs, and runs of keys asked for by hand. A bulk statement of the application inserts a
-- requested run: nothing unique concerns those, so that it never waits for anybody.
CREATE TABLE synctasks.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow text NOT NULL,
    kind text NOT NULL DEFAULT 'full' CHECK (kind IN ('full', 'keys')),
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'requested'
        CHECK (state IN ('requested', 'running', 'succeeded', 'guarded', 'stopped', 'failed')),
    phase text NOT NULL DEFAULT 'source'
        CHECK (phase IN ('source', 'guard', 'target', 'finish')),
    cursor_key text,
    planned bigint NOT NULL DEFAULT 0,
    in_scope bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    expected bigint,
    removals_held boolean NOT NULL DEFAULT false,
    error text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    read bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    filtered bigint NOT NULL DEFAULT 0,
    deferred bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    superseded bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    CONSTRAINT run_balances CHECK (
        read = written + unchanged + filtered + deferred + rejected + waiting + superseded
    )
);

CREATE UNIQUE INDEX run_active ON synctasks.run (flow)
    WHERE state = 'running' AND kind = 'full';

CREATE INDEX run_latest ON synctasks.run (flow, id);

-- Some keys of one lane within a run. A repeated chunk replaces its counts.
CREATE TABLE synctasks.chunk (
    run bigint NOT NULL REFERENCES synctasks.run ON DELETE CASCADE,
    number integer NOT NULL,
    lane smallint NOT NULL,
    phase text NOT NULL CHECK (phase IN ('source', 'target')),
    keys text[],
    size integer NOT NULL,
    error text,
    claimed_at timestamptz,
    elapsed_ms integer,
    finished_at timestamptz,
    read bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    filtered bigint NOT NULL DEFAULT 0,
    deferred bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    superseded bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run, number),
    CONSTRAINT chunk_balances CHECK (
        read = written + unchanged + filtered + deferred + rejected + waiting + superseded
    )
);

CREATE INDEX chunk_open ON synctasks.chunk (run, lane, number) WHERE finished_at IS NULL;

-- One row for each time a schedule was due: whoever inserts it starts the run.
CREATE TABLE synctasks.slot (
    flow text NOT NULL,
    due_at timestamptz NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    run bigint,
    PRIMARY KEY (flow, due_at)
);

-- The books of the drains, by lane (so that two workers never meet in a row) and minute.
-- `latency` counts captured changes by bucket: the bounds stand in the engine's books.
CREATE TABLE synctasks.history (
    flow text NOT NULL,
    lane smallint NOT NULL,
    minute timestamptz NOT NULL,
    taken bigint NOT NULL DEFAULT 0,
    units bigint NOT NULL DEFAULT 0,
    coalesced bigint NOT NULL DEFAULT 0,
    read bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    filtered bigint NOT NULL DEFAULT 0,
    deferred bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    waiting bigint NOT NULL DEFAULT 0,
    superseded bigint NOT NULL DEFAULT 0,
    removed bigint NOT NULL DEFAULT 0,
    latency bigint[] NOT NULL,
    PRIMARY KEY (flow, minute, lane),
    CONSTRAINT history_takes_all CHECK (taken = units + coalesced),
    CONSTRAINT history_balances CHECK (
        read = written + unchanged + filtered + deferred + rejected + waiting + superseded
    )
) WITH (fillfactor = 50);

CREATE TABLE synctasks.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    flow text,
    subject text,
    reason text
);

-- One row: how this database was installed.
CREATE TABLE synctasks.installation (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    notifies boolean NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
