package app

import (
	"context"
	"os/exec"
	"runtime"
)

// Browser returns what opens an address in the user's browser, nil where there is none: on a Unix machine without a screen
// the usual openers start a browser in the terminal, or none at all.
func Browser(env func(string) string) func(ctx context.Context, address string) error {
	var command []string
	switch {
	case runtime.GOOS == "darwin":
		command = []string{"open"}
	case runtime.GOOS == "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler"}
	case env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "":
		command = []string{"xdg-open"}
	default:
		return nil
	}
	return func(ctx context.Context, address string) error {
		// Where the opener becomes the browser, the browser is not to end with us.
		cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], append(command[1:], address)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // what the opener thinks of it does not matter: the address was printed
		return nil
	}
}
