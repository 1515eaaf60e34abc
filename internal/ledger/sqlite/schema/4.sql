-- Readings are asked for by their source and time. Some sources have hundreds of times as many as others.
CREATE INDEX reading_source ON reading (source, start_ms);
