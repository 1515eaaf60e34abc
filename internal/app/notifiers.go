package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/alertmanager"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/alerts/email"
	"github.com/mailvane/mailvane/alerts/pagerduty"
	"github.com/mailvane/mailvane/alerts/slack"
	"github.com/mailvane/mailvane/alerts/webhook"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/outlet/sesmail"
	"github.com/mailvane/mailvane/internal/outlet/smtp"
)

// notifiersOf makes the notifiers of a configuration, by their names. It makes no call, and reads no secret: those are read
// at each delivery.
func (e *Environment) notifiersOf(ctx context.Context, c *config.Config) (map[string]alerts.Notifier, error) {
	all := make(map[string]alerts.Notifier, len(c.Alerts.Notifiers))
	var errs []error
	for i := range c.Alerts.Notifiers {
		entry := &c.Alerts.Notifiers[i]
		n, err := e.notifier(ctx, entry.Name, &entry.Value)
		if err != nil {
			errs = append(errs, fmt.Errorf("alerts.notifiers.%s: %w", entry.Name, err))
			continue
		}
		all[entry.Name] = n
	}
	return all, errors.Join(errs...)
}

func (e *Environment) notifier(ctx context.Context, name string, c *config.Notifier) (alerts.Notifier, error) {
	switch {
	case c.PagerDuty != nil:
		return pagerduty.New(pagerduty.Options{
			Name: name, URL: string(c.PagerDuty.URL), RoutingKey: e.secret(c.PagerDuty.RoutingKeyFile, c.PagerDuty.RoutingKeyEnv), Now: e.Now,
		})
	case c.Alertmanager != nil:
		return e.alertmanager(name, c.Alertmanager)
	case c.Slack != nil:
		return slack.New(slack.Options{Name: name, URL: e.secret(c.Slack.URLFile, c.Slack.URLEnv), Now: e.Now}), nil
	case c.Webhook != nil:
		return webhook.New(webhook.Options{
			Name: name, URL: e.secret(c.Webhook.URLFile, c.Webhook.URLEnv), AllowHTTP: c.Webhook.AllowHTTP,
			Key: e.secret(c.Webhook.KeyFile, c.Webhook.KeyEnv), Now: e.Now,
		}), nil
	default:
		sender, err := e.mailSender(ctx, name, c.Email)
		if err != nil {
			return nil, err
		}
		to := make([]string, len(c.Email.To))
		for i, address := range c.Email.To {
			to[i] = string(address)
		}
		return email.New(email.Options{Name: name, From: string(c.Email.From), To: to, Sender: sender})
	}
}

func (e *Environment) alertmanager(name string, c *config.Alertmanager) (alerts.Notifier, error) {
	urls := make([]string, len(c.URL))
	for i, u := range c.URL {
		urls[i] = string(u)
	}
	return alertmanager.New(alertmanager.Options{
		Name: name, URLs: urls, AllowHTTP: c.AllowHTTP, User: c.User,
		Password: e.secret(c.PasswordFile, c.PasswordEnv), Token: e.secret(c.TokenFile, c.TokenEnv), Log: e.Log, Now: e.Now,
	})
}

// mailSender makes the way out for mails.
func (e *Environment) mailSender(ctx context.Context, name string, c *config.Email) (email.Sender, error) {
	if c.SES == nil {
		security := map[string]smtp.Security{"starttls": smtp.StartTLS, "tls": smtp.ImplicitTLS, "none": smtp.NoTLS}[c.SMTP.Security]
		o := smtp.Options{Notifier: name, Address: string(c.SMTP.Server), Security: security, Hello: string(c.SMTP.Hello), Log: e.Log}
		if c.SMTP.User != "" {
			o.Username = func() (string, error) { return c.SMTP.User, nil }
			o.Password = e.secret(c.SMTP.PasswordFile, c.SMTP.PasswordEnv)
		}
		return smtp.New(o)
	}
	cfg, err := e.AWS(ctx, string(c.SES.Region))
	if err != nil {
		return nil, err
	}
	return sesmail.New(sesmail.Options{
		Notifier: name, AWS: cfg, Region: string(c.SES.Region), RoleARN: string(c.SES.RoleARN),
		ConfigurationSet: string(c.SES.ConfigurationSet), Now: e.Now,
	})
}

// secret is where the configuration says that a secret is: in a file or in an environment variable. It is nil when it says
// neither.
func (e *Environment) secret(file config.SecretFile, variable config.Variable) delivery.Secret {
	switch {
	case file != "":
		return delivery.SecretFile(string(file))
	case variable != "":
		return func() (string, error) {
			if value := e.Env(string(variable)); value != "" {
				return value, nil
			}
			return "", fmt.Errorf("the environment variable %s is not set", variable)
		}
	default:
		return nil
	}
}
