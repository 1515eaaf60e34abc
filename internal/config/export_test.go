package config

// WithLater reads the sections that a file may not have yet.
func WithLater() Option { return func(o *options) { o.later = nil } }
