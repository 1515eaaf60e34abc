// Package replay feeds saved events to the same intake that live ones go through. A file holds JSON values one after the
// other (a line each, spread over lines, or the elements of an array), plain or gzip. What cannot be read is reported with
// its line and the rest goes on: the file is still there to be mended.
package replay
