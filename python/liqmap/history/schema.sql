-- The schema of a history, one DuckDB file. Times are UTC microseconds. There are no indexes and no primary keys: the
-- loader keeps rows unique, because replaying a write-ahead log over indexes has lost data in earlier DuckDB versions.
-- load_id identifies the source file of a row (loads.load_id); it is NULL for rows from the catalogue.

CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);

CREATE TABLE instruments (
    instrument    VARCHAR NOT NULL,
    venue         VARCHAR NOT NULL,
    symbol        VARCHAR NOT NULL,
    kind          VARCHAR NOT NULL CHECK (kind IN ('perpetual', 'dated', 'aggregate')),
    payoff        VARCHAR NOT NULL CHECK (payoff IN ('linear', 'inverse')),
    base          VARCHAR NOT NULL,
    quote         VARCHAR NOT NULL,
    settle        VARCHAR NOT NULL,
    contract_size DOUBLE NOT NULL CHECK (isfinite(contract_size) AND contract_size > 0), -- coin (linear), USD (inverse)
    tick_size     DOUBLE NOT NULL CHECK (isfinite(tick_size) AND tick_size > 0),
    expiry        BIGINT,
    load_id       BIGINT
);

CREATE TABLE margin_tiers (
    instrument     VARCHAR NOT NULL,
    valid_from     BIGINT NOT NULL,
    tier           INTEGER NOT NULL,
    notional_floor DOUBLE NOT NULL CHECK (isfinite(notional_floor) AND notional_floor >= 0),
    notional_cap   DOUBLE CHECK (isfinite(notional_cap) AND notional_cap > 0), -- NULL: unknown
    max_leverage   DOUBLE NOT NULL CHECK (isfinite(max_leverage) AND max_leverage > 0),
    mmr            DOUBLE NOT NULL CHECK (mmr >= 0 AND mmr <= 1), -- maintenance margin, a fraction of notional
    deduction      DOUBLE NOT NULL CHECK (isfinite(deduction) AND deduction >= 0),
    source         VARCHAR NOT NULL,
    load_id        BIGINT
);

CREATE TABLE bars ( -- ts is the start of the bar, which is known at ts + interval_s
    instrument     VARCHAR NOT NULL,
    ts             BIGINT NOT NULL,
    interval_s     BIGINT NOT NULL CHECK (interval_s > 0),
    open           DOUBLE NOT NULL CHECK (isfinite(open) AND open > 0),
    high           DOUBLE NOT NULL CHECK (isfinite(high) AND high > 0),
    low            DOUBLE NOT NULL CHECK (isfinite(low) AND low > 0),
    close          DOUBLE NOT NULL CHECK (isfinite(close) AND close > 0),
    volume_base    DOUBLE CHECK (isfinite(volume_base) AND volume_base >= 0),
    taker_buy_base DOUBLE CHECK (isfinite(taker_buy_base) AND taker_buy_base >= 0),
    taker_net_base DOUBLE CHECK (isfinite(taker_net_base)), -- taker buys − sells, if only the difference is known
    price_source   VARCHAR NOT NULL CHECK (price_source IN ('last', 'mark', 'index', 'spot')),
    load_id        BIGINT,
    CHECK (high >= low AND high >= open AND high >= close AND low <= open AND low <= close)
);

CREATE TABLE open_interest ( -- one-sided, at the time ts
    instrument VARCHAR NOT NULL,
    ts         BIGINT NOT NULL,
    oi_base    DOUBLE CHECK (isfinite(oi_base) AND oi_base >= 0),
    oi_usd     DOUBLE CHECK (isfinite(oi_usd) AND oi_usd >= 0),
    load_id    BIGINT,
    CHECK (oi_base IS NOT NULL OR oi_usd IS NOT NULL)
);

CREATE TABLE funding (
    instrument VARCHAR NOT NULL,
    ts         BIGINT NOT NULL,
    rate       DOUBLE NOT NULL CHECK (isfinite(rate) AND abs(rate) < 1), -- a fraction per interval_h
    interval_h DOUBLE NOT NULL CHECK (isfinite(interval_h) AND interval_h > 0),
    load_id    BIGINT
);

CREATE TABLE liquidations ( -- reported; side is that of the liquidated position
    instrument VARCHAR NOT NULL,
    ts         BIGINT NOT NULL,                              -- start of the window, or time of the event
    window_s   BIGINT NOT NULL CHECK (window_s >= 0),       -- 0: single event
    side       VARCHAR NOT NULL CHECK (side IN ('long', 'short')),
    price      DOUBLE CHECK (isfinite(price) AND price > 0),
    size_base  DOUBLE CHECK (isfinite(size_base) AND size_base >= 0),
    usd        DOUBLE NOT NULL CHECK (isfinite(usd) AND usd >= 0),
    feed       VARCHAR NOT NULL CHECK (feed IN ('complete', 'throttled', 'aggregate')),
    load_id    BIGINT
);

CREATE TABLE depth (
    instrument VARCHAR NOT NULL,
    ts         BIGINT NOT NULL,
    side       VARCHAR NOT NULL CHECK (side IN ('bid', 'ask')),
    price      DOUBLE NOT NULL CHECK (isfinite(price) AND price > 0),
    size_base  DOUBLE NOT NULL CHECK (isfinite(size_base) AND size_base >= 0),
    load_id    BIGINT
);

CREATE TABLE positions ( -- observed, never modelled
    instrument        VARCHAR NOT NULL,
    ts                BIGINT NOT NULL,
    account           VARCHAR NOT NULL, -- a salted hash of the account
    side              VARCHAR NOT NULL CHECK (side IN ('long', 'short')),
    size_base         DOUBLE NOT NULL CHECK (isfinite(size_base) AND size_base > 0), -- inverse: face value over entry
    entry_price       DOUBLE NOT NULL CHECK (isfinite(entry_price) AND entry_price > 0),
    leverage          DOUBLE CHECK (isfinite(leverage) AND leverage > 0),
    margin_mode       VARCHAR NOT NULL CHECK (margin_mode IN ('isolated', 'cross', 'portfolio')),
    margin            DOUBLE CHECK (isfinite(margin)),      -- settlement currency; as for liqmap.liquidation_prices
    maintenance       DOUBLE CHECK (isfinite(maintenance)), -- likewise, for cross margin
    mark_price        DOUBLE CHECK (isfinite(mark_price) AND mark_price > 0),
    liquidation       VARCHAR CHECK (liquidation IN ('reported', 'none')), -- by the venue; NULL: unknown
    liquidation_price DOUBLE CHECK (isfinite(liquidation_price) AND liquidation_price > 0), -- reported by the venue
    source            VARCHAR NOT NULL,
    load_id           BIGINT
);

CREATE TABLE sightings ( -- account snapshots: a position that is missing at that time is closed
    account    VARCHAR NOT NULL, -- hash as in positions
    source     VARCHAR NOT NULL,
    ts         BIGINT NOT NULL,
    instrument VARCHAR,          -- NULL: all instruments
    load_id    BIGINT
);

CREATE TABLE maps ( -- append-only map registry: every issued map can be re-created and scored
    map_id        VARCHAR NOT NULL,
    instrument    VARCHAR NOT NULL,
    issued_at     BIGINT NOT NULL,
    data_cutoff   BIGINT NOT NULL,
    mark_price    DOUBLE NOT NULL CHECK (isfinite(mark_price) AND mark_price > 0),
    open_interest DOUBLE NOT NULL CHECK (isfinite(open_interest) AND open_interest >= 0), -- coin, one-sided
    tick          DOUBLE NOT NULL,
    low_tick      BIGINT NOT NULL,
    width_ticks   BIGINT NOT NULL,
    bins          INTEGER NOT NULL,
    params_hash   VARCHAR NOT NULL,
    inputs_hash   VARCHAR NOT NULL,
    provenance    VARCHAR NOT NULL -- JSON
);

CREATE TABLE map_bins ( -- non-empty bins only
    map_id   VARCHAR NOT NULL,
    side     VARCHAR NOT NULL CHECK (side IN ('long', 'short')),
    leverage DOUBLE NOT NULL,
    bin      INTEGER NOT NULL,
    notional DOUBLE NOT NULL CHECK (isfinite(notional) AND notional > 0) -- USD at the level's price
);

CREATE TABLE calibrations ( -- append-only; a map uses the latest calibration issued by its time, never a later one
    calibration_id VARCHAR NOT NULL,
    instrument     VARCHAR NOT NULL,
    issued_at      BIGINT NOT NULL,
    data_cutoff    BIGINT NOT NULL CHECK (data_cutoff <= issued_at),
    interval_s     BIGINT NOT NULL,  -- of the bars that it was fitted to and applies to
    price_source   VARCHAR NOT NULL,
    parameters     VARCHAR NOT NULL  -- JSON
);

CREATE TABLE loads (
    load_id     BIGINT NOT NULL,
    source      VARCHAR NOT NULL, -- absolute path of the file when it was loaded
    sha256      VARCHAR NOT NULL,
    layout      VARCHAR NOT NULL, -- name of the mapping
    layout_hash VARCHAR NOT NULL, -- hash of the mapping, instrument, account and time
    rows        BIGINT NOT NULL,
    rejected    BIGINT NOT NULL,
    loaded_at   BIGINT NOT NULL,
    replaced_by BIGINT            -- id of a later load of the same path that replaced these rows
);

CREATE TABLE rejects (
    load_id BIGINT NOT NULL,
    member  VARCHAR,          -- file inside an archive
    row     BIGINT NOT NULL,  -- 1-based; the header counts as a row
    field   VARCHAR NOT NULL,
    value   VARCHAR,
    reason  VARCHAR NOT NULL
);
