// Package sqlite is the embedded engine of the ledger: one SQLite file, which a person can open and query.
package sqlite
