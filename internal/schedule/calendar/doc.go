// Package calendar knows when something is due that people set by the clock on the wall: "Mon 08:00" in Berlin.
//
// A Schedule is a value that is only read. It follows the wall clock through changes of daylight saving: what is set for a time
// that a day leaves out is due at the moment at which the clock jumps over it, and what is set for a time that a day has twice is
// due at the first of the two. Nothing here reads a clock or starts anything.
//
// internal/config reads schedules with it, and whoever makes what is due asks it when.
package calendar
