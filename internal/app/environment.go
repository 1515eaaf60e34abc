package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
)

// Environment is what a process finds around itself. Tests and the demo put their own in its place.
type Environment struct {
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Env looks up an environment variable, empty when it is not set.
	Env func(string) string
	// AWS makes the SDK's configuration for a region: credentials and endpoints.
	AWS func(ctx context.Context, region string) (aws.Config, error)
	// Version is the program's version.
	Version string
}

// AWSFromEnvironment is the SDK's default chain: environment, files, roles of the machine, and the endpoint variables.
func AWSFromEnvironment(ctx context.Context, region string) (aws.Config, error) {
	var options []func(*awsconfig.LoadOptions) error
	if region != "" {
		options = append(options, awsconfig.WithRegion(region))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	return c, nil
}
