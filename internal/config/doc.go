// Package config reads the configuration file: strict YAML to Config, with every problem of a file reported at once, each with
// its line, its column and what to write instead. It is the only package that knows YAML; what it hands on are plain values
// without locks, which nobody changes after Load has returned them.
//
// The comments of the fields of Config and its parts are their documentation: docs/configuration.md is made from them. They
// speak to whoever writes the file, and so do all problems: neither ever names a type of the program.
//
// Only internal/app and the commands import this package. Load reads the file that it is given and the rules file which that
// one names, and nothing else: no environment, no network, no clock. Secrets of notifiers it knows by their place only.
package config

//go:generate go run ./docgen -out ../../docs/configuration.md
