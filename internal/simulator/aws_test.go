package simulator_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// awsConfig is the SDK's configuration for a region, in the account of the role when one is named.
func awsConfig(s *simulator.Simulator, region, role string) aws.Config {
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

// TestDemoTellsAboutTwoAccounts holds on quiet days and on those of sends, as a demo may be run on any: what CloudWatch says is the
// truth, and the story is in it.
func TestDemoTellsAboutTwoAccounts(t *testing.T) {
	for _, weekday := range []int{0, 2, 5} {
		at := now.AddDate(0, 0, weekday)
		o := simulator.Demo(at, 1, 1)
		o.Now = func() time.Time { return at }
		s := start(t, o)
		us, eu := awsConfig(s, "us-east-1", ""), awsConfig(s, simulator.RegionEU, simulator.RoleEU)
		f := func(c aws.Config, m traffic.Metric, since time.Duration, least, most float64) float64 {
			t.Helper()
			account := simulator.Account
			if c.Region == simulator.RegionEU {
				account = simulator.AccountEU
			}
			from, to := at.Add(-since), at.Add(-15*time.Minute)
			got := sums(t, c, m, from, to)
			if truth := s.CloudWatch().Sum(account, c.Region, m, from, to); got != truth || got < least || got > most {
				t.Errorf("%s: %v is %v, the truth %v, want %v to %v", at.Weekday(), m, got, truth, least, most)
			}
			return got
		}
		const day = 24 * time.Hour
		rule := func(name, rule string) traffic.Metric { return traffic.ReceiptMetric(name, "inbound", rule) }
		tenant := func(name string) traffic.Metric {
			return traffic.TenantMetric(name, simulator.Account, "us-east-1", "globex")
		}
		f(us, traffic.AccountMetric("Send"), 7*day, 15_000, 60_000)
		f(eu, traffic.AccountMetric("Send"), 7*day, 7_000, 20_000)
		f(us, traffic.SetMetric("Delivery", "survey-tool"), 7*day, 1_000, 2_500)
		if rate := f(us, tenant("Bounces"), 7*day, 40, 120) / f(us, tenant("Sends"), 7*day, 1_000, 2_000); rate < 0.03 || rate > 0.06 {
			t.Errorf("%s: globex bounces at %v", at.Weekday(), rate)
		}
		in := f(us, rule("Received", "unsub-flash-friday"), 6*time.Hour, 20, 300)
		f(us, rule("PublishFailure", "unsub-flash-friday"), 6*time.Hour, 3*in, 20*in)
		f(us, rule("PublishExpired", "unsub-flash-friday"), 6*time.Hour, 5, in)
		f(us, rule("PublishSuccess", "unsub-flash-friday"), 5*time.Hour, 0, 0)
		f(us, rule("Received", "replies-acme"), 8*day, 300, 1_500)
		f(us, rule("Received", "replies-acme"), 2*day, 0, 0)
		f(us, rule("Received", "abuse"), 8*day, 0, 0)
		f(eu, rule("PublishSuccess", "replies"), 2*day, 80, 300)
		for _, c := range []aws.Config{us, eu} {
			got, err := sesv2.NewFromConfig(c).GetAccount(t.Context(), &sesv2.GetAccountInput{})
			if err != nil {
				t.Fatal(err)
			}
			sent := f(c, traffic.AccountMetric("Send"), day, 1_000, 30_000)
			if q := got.SendQuota; q.SentLast24Hours < sent*0.9 || q.SentLast24Hours > q.Max24HourSend {
				t.Errorf("%s: %v sent, the quota is %+v", at.Weekday(), sent, *q)
			}
		}
	}
}

// TestServicesShareAnAddress asks each service of AWS at the simulator's one address.
func TestServicesShareAnAddress(t *testing.T) {
	o := simulator.Demo(now, 1, 1)
	o.Model.Scale = 0.1
	o.Now = func() time.Time { return now }
	s := start(t, o)
	c := awsConfig(s, "us-east-1", "")
	rules, err := ses.NewFromConfig(c).DescribeActiveReceiptRuleSet(t.Context(), &ses.DescribeActiveReceiptRuleSetInput{})
	if err != nil || len(rules.Rules) != 6 {
		t.Errorf("SES: %v %v", rules, err)
	}
	if who, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil || *who.Account != simulator.Account {
		t.Errorf("STS: %v %v", who, err)
	}
	found, err := sesv2.NewFromConfig(c).ListRecommendations(t.Context(), &sesv2.ListRecommendationsInput{Filter: map[string]string{"STATUS": "OPEN"}})
	if err != nil || len(found.Recommendations) != 1 {
		t.Errorf("SES, version 2: %v %v", found, err)
	}
	if queues, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(queues.QueueUrls) != 3 {
		t.Errorf("SQS: %v %v", queues, err)
	}
	if listed, err := cloudwatch.NewFromConfig(c).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); err != nil || len(listed.Metrics) < 20 {
		t.Errorf("CloudWatch: %v %v", listed, err)
	}
	if got := s.SESAPI().Requests(); got["GetCallerIdentity"] != 1 || got["ListRecommendations"] != 1 || s.CloudWatch().Requests()["ListMetrics"] != 1 {
		t.Errorf("requests: %v %v", got, s.CloudWatch().Requests())
	}
}

// BenchmarkCloudWatchPass lists 2,000 series and reads an hour of them, with the SDK.
func BenchmarkCloudWatchPass(b *testing.B) {
	s, err := simulator.Start(b.Context(), simulator.CloudWatchBench(now, 500))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	client := cloudwatch.NewFromConfig(awsConfig(s, "us-east-1", ""))
	b.ReportAllocs()
	for b.Loop() {
		var queries []types.MetricDataQuery
		pages := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/SES")})
		for pages.HasMorePages() {
			out, err := pages.NextPage(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for i := range out.Metrics {
				queries = append(queries, types.MetricDataQuery{Id: aws.String("m" + strconv.Itoa(len(queries))), MetricStat: &types.MetricStat{
					Metric: &out.Metrics[i], Period: aws.Int32(300), Stat: aws.String("Sum")}})
			}
		}
		points := 0
		for some := range slices.Chunk(queries, 500) {
			out, err := client.GetMetricData(b.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-time.Hour)),
				EndTime: aws.Time(now), MetricDataQueries: some})
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range out.MetricDataResults {
				points += len(r.Values)
			}
		}
		if points != 2000*12 {
			b.Fatalf("%d points", points)
		}
	}
}
