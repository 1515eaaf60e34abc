// Package web is what people and programs ask Mailvane over HTTP: the JSON API under /api/v1, metrics, health and reload.
// It shows what view and the composition root tell it and decides nothing. Handlers are safe for concurrent use.
package web
