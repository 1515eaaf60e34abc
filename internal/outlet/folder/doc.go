// Package folder writes files into a folder: each whole or not at all, so that whoever watches the folder never reads half of one.
//
// A Folder keeps nothing between calls and may be used by several goroutines. Names are those of files in the folder itself, of
// letters, digits, dots, hyphens and underscores; no name leads out of it, and no link in it is followed out of it.
//
// Reports import it.
package folder
