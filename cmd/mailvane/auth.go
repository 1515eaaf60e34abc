package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/googleauth"
)

func newAuth() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "Obtain credentials",
		Long:  `Auth obtains credentials for sources that need a person's consent.`,
		RunE:  group,
	}
	cmd.AddCommand(newAuthGoogle())
	return cmd
}

func newAuthGoogle() *cobra.Command {
	var o app.GoogleOptions
	var api string
	var noBrowser bool
	cmd := &cobra.Command{
		Use:   "google",
		Short: "Obtain consent to read Gmail Postmaster Tools",
		Long: `Google obtains a Google user's consent to read Gmail Postmaster Tools, through a
browser, and stores the credentials in a file that its owner alone can read. The
user must see the domains at https://postmaster.google.com.

It needs an OAuth client of type Desktop app, which you make once in a Google
Cloud project of your own: docs/gmail.md says how. Without --config the user is
asked for what reading all verified domains needs; with it, for what the account
of the configuration needs, which is less where its domains are named.

While the consent screen of the project is in Testing, Google ends the consent
after seven days. Publish the app ("In production") before you run this; it needs
no verification by Google for your own use.

It ends with status 0 when the file was stored, 1 when there was no consent, 2
when the command line, the client or the configuration must be corrected.`,
		Example: `  mailvane auth google --client client.json
  mailvane auth google --client client.json --config mailvane.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.ClientFile == "" {
				return &usageError{errors.New("name the file of the OAuth client with --client; docs/gmail.md says how to make one")}
			}
			if a := postmaster.API(api); a != postmaster.V1 && a != postmaster.V2 {
				return &usageError{errors.New("--api is neither v2 nor v1")}
			}
			if o.ConfigFile != "" && cmd.Flags().Changed("api") {
				return &usageError{errors.New("give either --api or --config, which says what API is read")}
			}
			if o.Timeout <= 0 {
				return &usageError{errors.New("--timeout must be more than 0, for example 15m")}
			}
			log, err := (&logFlags{level: "warn", format: "text"}).logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			o.Environment, o.API, o.Out = environment(log), postmaster.API(api), cmd.OutOrStdout()
			if !noBrowser {
				o.Browse = app.Browser(o.Env)
			}
			return authorised(cmd, &o, app.AuthGoogle(cmd.Context(), o))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.ClientFile, "client", "", "the file of the OAuth client, as the Google Cloud console hands it out")
	f.StringVar(&o.ConfigFile, "config", "", "the configuration file that names the account")
	f.StringVar(&o.File, "out", "", "where the credentials go (default: where --config says, else "+app.DefaultGoogleFile+")")
	f.BoolVar(&o.Force, "force", false, "replace a file that is there")
	f.StringVar(&api, "api", string(postmaster.V2), "the version of the API that will be read: v2 or v1")
	f.BoolVar(&noBrowser, "no-browser", false, "only print the address to open")
	f.DurationVar(&o.Timeout, "timeout", googleauth.DefaultTimeout, "how long you may take")
	return cmd
}

// authorised tells what must be corrected from what went wrong.
func authorised(cmd *cobra.Command, o *app.GoogleOptions, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &usageError{errors.New(err.Error() + "; name another with --out, or replace it with --force")}
	}
	_, badClient := errors.AsType[*googleauth.ClientError](err)
	_, badPlace := errors.AsType[*googleauth.PlaceError](err)
	_, noAccount := errors.AsType[*app.AccountError](err)
	if badClient || badPlace || noAccount {
		return &usageError{err}
	}
	return reported(cmd, o.ConfigFile, err)
}
