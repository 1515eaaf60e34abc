package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Region is an AWS region such as us-east-1.
type Region string

var regionForm = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`)

func (r *Region) set(text string) *fault {
	if !regionForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not an AWS region", quoted(text)), ""}
	}
	*r = Region(text)
	return nil
}

func (*Region) form() string { return "an AWS region" }

// RoleARN is the ARN of an IAM role.
type RoleARN string

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var (
	roleForm        = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]{1,576}$`)
	assumedRoleForm = regexp.MustCompile(`^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/`)
)

func (r *RoleARN) set(text string) *fault {
	if m := assumedRoleForm.FindStringSubmatch(text); m != nil {
		return &fault{"is the ARN of a session, not of a role", fmt.Sprintf("write arn:%s:iam::%s:role/%s", m[1], m[2], m[3])}
	}
	if !roleForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not the ARN of a role", quoted(text)), ""}
	}
	*r = RoleARN(text)
	return nil
}

// Account is the number of the account that has the role, empty when there is no role.
func (r RoleARN) Account() string {
	if m := roleForm.FindStringSubmatch(string(r)); m != nil {
		return m[1]
	}
	return ""
}

func (*RoleARN) form() string { return "the ARN of a role" }

// QueueURL is the URL of an SQS queue: https://sqs.<region>.amazonaws.com/<account>/<name>, or that of an endpoint of one's
// own with the same path.
type QueueURL string

// https://docs.aws.amazon.com/general/latest/gr/sqs-service.html, the older form of the host, and VPC endpoints
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-sending-messages-from-vpc.html).
var (
	queuePath  = regexp.MustCompile(`^(?:/[^/]+)*/(\d{12})/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$`)
	queueHosts = []*regexp.Regexp{
		regexp.MustCompile(`^sqs(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$`),
		regexp.MustCompile(`^([a-z0-9-]+)\.queue\.amazonaws\.com(?:\.cn)?$`),
		regexp.MustCompile(`^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.sqs\.([a-z0-9-]+)\.vpce\.amazonaws\.com(?:\.cn)?$`),
	}
	queueARN = regexp.MustCompile(`^arn:aws([a-z-]*):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_.-]{1,80})$`)
)

func (q *QueueURL) set(text string) *fault {
	if m := queueARN.FindStringSubmatch(text); m != nil {
		domain := "amazonaws.com"
		if m[1] == "-cn" {
			domain += ".cn"
		}
		return &fault{"is the ARN of the queue, not its URL", fmt.Sprintf("write https://sqs.%s.%s/%s/%s", m[2], domain, m[3], m[4])}
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || !webScheme(parsed):
		return &fault{fmt.Sprintf("%s is not the URL of a queue", quoted(text)), ""}
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return &fault{"must end with the queue's name and hold no password", ""}
	case !queuePath.MatchString(parsed.Path):
		return &fault{"must end with the account, 12 digits, and the queue's name", ""}
	}
	*q = QueueURL(text)
	if parsed.Scheme == "http" && q.Region() != "" {
		return &fault{"is not encrypted", "write https:// instead of http://"}
	}
	return nil
}

// Region is the region that the URL names, empty when it names none.
func (q QueueURL) Region() Region {
	parsed, err := url.Parse(string(q))
	if err != nil {
		return ""
	}
	for _, form := range queueHosts {
		if m := form.FindStringSubmatch(strings.ToLower(parsed.Hostname())); m != nil {
			return Region(m[1])
		}
	}
	return ""
}

// Name is the queue's name, the last part of the URL.
func (q QueueURL) Name() string { return path.Base(string(q)) }

func (*QueueURL) form() string { return "the URL of a queue" }
