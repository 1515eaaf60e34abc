package postmaster

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// The types of answers are this package's own: those of the generated client hold plain numbers, in which a measured 0 and
// a value that is absent are the same.

const (
	// maxRows bounds the rows of a page, of which 200 are asked for; maxValues the strings of a value; maxParts all
	// other lists.
	maxRows   = 1000
	maxValues = 50_000
	maxParts  = 1000
)

var errTooMany = errors.New("a list is longer than the API's limits allow")

// decodeList decodes a JSON array without making room for more than its bound.
func decodeList[T any](data []byte, most int) (list []T, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	switch t, err := d.Token(); {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, nil
	case t != json.Delim('['):
		return nil, errors.New("a list was expected")
	}
	for d.More() {
		if len(list) == most {
			return nil, errTooMany
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// number is a JSON number, or one in a string as 64-bit integers are written. It is nil when the string is no number:
// "NaN" is how an undefined rate is written (https://protobuf.dev/programming-guides/json/).
type number struct{ value *float64 }

func (n *number) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		n.value = &v
	}
	return nil
}

// date is google.type.Date.
type date struct{ Year, Month, Day int }

// day is the date's day, false when it is none.
func (d *date) day() (day, bool) {
	if d == nil || d.Year < 2000 || d.Year > 9999 || d.Month < 1 || d.Month > 12 || d.Day < 1 || d.Day > 31 {
		return 0, false
	}
	n := dayFrom(d.Year, d.Month, d.Day)
	_, m, _ := n.date()
	return n, int(m) == d.Month
}

// value is a StatisticValue: at most one of its fields is there.
type value struct {
	DoubleValue, FloatValue, IntValue *number
	StringValue                       *string
	StringList                        *struct{ Values texts }
}

// number is the number that the value holds, nil when it holds none.
func (v *value) number() *float64 {
	for _, n := range []*number{v.FloatValue, v.DoubleValue, v.IntValue} {
		if n != nil {
			return n.value
		}
	}
	return nil
}

// texts are the strings of a value, rows those of a page.
type (
	texts []string
	rows  []stat
)

func (l *texts) UnmarshalJSON(data []byte) (err error) {
	*l, err = decodeList[string](data, maxValues)
	return err
}

func (l *rows) UnmarshalJSON(data []byte) (err error) {
	*l, err = decodeList[stat](data, maxRows)
	return err
}

// parts are the items of a list that has only a few.
type parts[T any] []T

func (l *parts[T]) UnmarshalJSON(data []byte) (err error) {
	*l, err = decodeList[T](data, maxParts)
	return err
}

// stat is one value of a day.
type stat struct {
	Metric string
	Date   *date
	Value  value
}

// page is QueryDomainStatsResponse, answers is BatchQueryDomainStatsResponse.
type page struct {
	DomainStats   rows
	NextPageToken string
}

type answers struct {
	Results parts[struct {
		Response *page
		Error    *status
	}]
}

// status is google.rpc.Status. In the body of a failed call Code is the HTTP status, in a batch a code of google.rpc.Code.
type status struct {
	Code    int
	Message string
	Status  string
	Details parts[struct {
		Reason   string
		Metadata map[string]string
	}]
}

// domainList is the answer to a listing of domains, in both versions; VerificationState is of v2 alone.
type domainList struct {
	Domains       parts[listedDomain]
	NextPageToken string
}

type listedDomain struct{ Name, Permission, VerificationState string }

// complianceStatus is DomainComplianceStatus.
type complianceStatus struct {
	ComplianceData, SubdomainComplianceData *complianceData
}

type complianceData struct {
	DomainID string `json:"domainId"`
	RowData  parts[struct {
		Requirement string
		Status      complianceState
	}]
	OneClickUnsubscribeVerdict, HonorUnsubscribeVerdict, DeliverabilityStatusVerdict *verdict
}

type complianceState struct{ Status string }

// verdict is one of three types that differ in whether the state is called Status or State.
type verdict struct {
	Status, State complianceState
	Reason        string
}

// trafficList and traffic are ListTrafficStatsResponse and TrafficStats of v1.
type trafficList struct {
	TrafficStats  parts[traffic]
	NextPageToken string
}

type traffic struct {
	Name                                                 string
	UserReportedSpamRatio                                *number
	UserReportedSpamRatioLowerBound                      *number
	UserReportedSpamRatioUpperBound                      *number
	DomainReputation                                     string
	SpfSuccessRatio, DkimSuccessRatio, DmarcSuccessRatio *number
	InboundEncryptionRatio, OutboundEncryptionRatio      *number
	IPReputations                                        parts[ipReputation] `json:"ipReputations"`
	SpammyFeedbackLoops                                  loops
	DeliveryErrors                                       parts[deliveryError]
}

type ipReputation struct {
	Reputation string
	IPCount    *number `json:"ipCount"`
	SampleIPs  texts   `json:"sampleIps"`
}

type deliveryError struct {
	ErrorClass, ErrorType string
	ErrorRatio            *number
}

type loop struct {
	ID        string
	SpamRatio *number
}

type loops []loop

func (l *loops) UnmarshalJSON(data []byte) (err error) {
	*l, err = decodeList[loop](data, maxValues)
	return err
}
