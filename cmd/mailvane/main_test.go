package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mailvane/mailvane/internal/simulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mailvane": main})
}

// TestScripts runs the scripts of testdata, each a dialogue with the built command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata",
		Cmds: commands(),
		Setup: func(e *testscript.Env) error {
			e.Values[simulated] = new(*simulator.Simulator)
			return nil
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}
