package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
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
	// The SDK would write to standard error by itself, among the lines of our log. What matters is in its errors.
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if region != "" {
		options = append(options, awsconfig.WithRegion(region))
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	return c, nil
}
