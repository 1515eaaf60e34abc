package awsfault

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// WithTimeout returns a context for a call that ends as one that got no whole answer in time.
func WithTimeout(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, after, &silenceError{after})
}

// Cause returns why the context of a call ended if it did, else the call's error: the SDK reports the end, not its cause.
func Cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// silenceError is the cause of the end of a call that got no whole answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no whole answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// Credentials marks what goes wrong with credentials, because the SDK does not tell it from other errors. Nil stays nil.
func Credentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return marked{p}
}

type marked struct{ provider aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := m.provider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}

// credentialsError is an error of the providers of credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "get AWS credentials: " + e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }
