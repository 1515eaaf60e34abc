package simulator_test

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// account is the SDK's configuration for a region, in the account of the role when one is named.
func account(s *simulator.Simulator, region, role string) aws.Config {
	c := aws.Config{Region: region, BaseEndpoint: aws.String(s.URL()),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: plainBodies{http.DefaultTransport}}}
	if role != "" {
		c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), role))
	}
	return c
}

// sums asks CloudWatch for hourly sums of a metric and adds them up.
func sums(t *testing.T, c aws.Config, m traffic.Metric, from, to time.Time) (sum float64) {
	t.Helper()
	metric := &types.Metric{Namespace: aws.String("AWS/SES"), MetricName: &m.Name}
	for _, d := range m.Dimensions {
		if d.Name != "" {
			metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: &d.Name, Value: &d.Value})
		}
	}
	out, err := cloudwatch.NewFromConfig(c).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("q"), MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(3600), Stat: aws.String("Sum")}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.MetricDataResults[0].Values {
		sum += v
	}
	return sum
}

func TestDemoTellsAboutTwoAccounts(t *testing.T) {
	o := simulator.Demo(now, 1, 1)
	o.Now = func() time.Time { return now }
	s := start(t, o)
	us, eu := account(s, "us-east-1", ""), account(s, simulator.RegionEU, simulator.RoleEU)
	from, to := now.AddDate(0, 0, -2), now.Add(-time.Hour)
	began := time.Now()
	for name, c := range map[string]struct {
		aws.Config
		account, region string
		metric          traffic.Metric
		least           float64
	}{
		"sends":            {us, simulator.Account, "us-east-1", traffic.AccountMetric("Send"), 5000},
		"sends there":      {eu, simulator.AccountEU, simulator.RegionEU, traffic.AccountMetric("Send"), 2000},
		"unpublished":      {us, simulator.Account, "us-east-1", traffic.SetMetric("Send", "survey-tool"), 200},
		"tenant":           {us, simulator.Account, "us-east-1", traffic.TenantMetric("Bounces", simulator.Account, "us-east-1", "globex"), 5},
		"received":         {us, simulator.Account, "us-east-1", traffic.ReceiptMetric("Received", "inbound", "unsub-flash-friday"), 100},
		"failures":         {us, simulator.Account, "us-east-1", traffic.ReceiptMetric("PublishFailure", "inbound", "unsub-flash-friday"), 500},
		"lost":             {us, simulator.Account, "us-east-1", traffic.ReceiptMetric("PublishExpired", "inbound", "unsub-flash-friday"), 10},
		"received there":   {eu, simulator.AccountEU, simulator.RegionEU, traffic.ReceiptMetric("Received", "inbound", "replies"), 50},
		"opens by machine": {us, simulator.Account, "us-east-1", traffic.AccountMetric("Opens"), 500},
	} {
		got, truth := sums(t, c.Config, c.metric, from, to), s.CloudWatch().Sum(c.account, c.region, c.metric, from, to)
		if got != truth || got < c.least {
			t.Errorf("%s: %v, the truth is %v, want %v at least", name, got, truth, c.least)
		}
	}
	t.Log(time.Since(began))
	began = time.Now()
	for _, c := range []aws.Config{us, eu} {
		listed, err := cloudwatch.NewFromConfig(c).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/SES")})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range listed.Metrics {
			text := *m.MetricName
			for _, d := range m.Dimensions {
				text += " " + *d.Name + "=" + *d.Value
			}
			t.Log(text)
		}
		a, err := sesv2.NewFromConfig(c).GetAccount(t.Context(), &sesv2.GetAccountInput{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(cmp.Or(*a.EnforcementStatus), *a.SendQuota)
		r, err := ses.NewFromConfig(c).DescribeActiveReceiptRuleSet(t.Context(), &ses.DescribeActiveReceiptRuleSetInput{})
		if err != nil || len(r.Rules) < 2 {
			t.Fatal(err, r)
		}
		t.Log(*r.Rules[0].Name, r.Rules[0].Recipients, *r.Metadata.Name, r.Rules[0].Actions[0].SNSAction)
		for _, rate := range []string{"Reputation.BounceRate", "Reputation.ComplaintRate"} {
			t.Log(rate, s.CloudWatch().Sum(simulator.Account, "us-east-1", traffic.AccountMetric(rate), now.Add(-time.Hour), now)/4)
		}
	}
	t.Log(time.Since(began))
}
