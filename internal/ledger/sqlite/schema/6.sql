-- The highest value that a reading ever had, null while it is its value. Counters grow with readings and never shrink.
ALTER TABLE reading ADD COLUMN peak REAL;
