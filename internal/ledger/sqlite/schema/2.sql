-- Readings of periods shorter than an hour are kept for less time than others.
CREATE INDEX reading_short ON reading (start_ms) WHERE end_ms - start_ms < 3600000;
