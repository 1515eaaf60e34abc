package app

import (
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ruletest"
)

// RulesTest runs the tests of rules in a file and returns the checks that failed, and how many tests there are. The error is a
// ProblemsError when the file cannot be used.
func RulesTest(file string) (failures []ruletest.Failure, tests int, err error) {
	suite, problems := config.LoadRuleTests(file)
	if suite == nil {
		return nil, 0, &ProblemsError{problems}
	}
	return suite.Run(), len(suite.Tests), nil
}
