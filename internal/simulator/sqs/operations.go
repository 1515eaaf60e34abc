package sqs

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// answer executes one operation and appends its answer to dst.
func (s *Server) answer(ctx context.Context, dst []byte, op string, q *Queue, in *request, fault *Fault) ([]byte, *apiError) {
	switch op {
	case "ListQueues":
		urls := []string{}
		for _, name := range s.names(in.QueueNamePrefix) {
			urls = append(urls, s.queueURL(in, name))
		}
		return appendJSON(dst, map[string]any{"QueueUrls": urls}), nil
	case "GetQueueUrl":
		if s.Queue(in.QueueName) == nil {
			return dst, newError("QueueDoesNotExist")
		}
		return appendJSON(dst, map[string]string{"QueueUrl": s.queueURL(in, in.QueueName)}), nil
	}
	if q == nil {
		return dst, newError("QueueDoesNotExist")
	}
	switch op {
	case "ReceiveMessage":
		return s.receive(ctx, dst, q, in, fault)
	case "DeleteMessage":
		return dst, q.remove(in.ReceiptHandle)
	case "ChangeMessageVisibility":
		return dst, q.changeVisibilityOf(in.ReceiptHandle, in.VisibilityTimeout)
	case "SendMessage":
		return q.sendOne(dst, in)
	case "GetQueueAttributes":
		return q.attributes(dst, in.AttributeNames)
	case "DeleteMessageBatch":
		return s.batch(dst, in, fault, func(e *entry) (result, *apiError) { return result{}, q.remove(e.ReceiptHandle) })
	case "ChangeMessageVisibilityBatch":
		return s.batch(dst, in, fault, func(e *entry) (result, *apiError) {
			return result{}, q.changeVisibilityOf(e.ReceiptHandle, e.VisibilityTimeout)
		})
	case "SendMessageBatch":
		total := 0
		for i := range in.Entries {
			total += len(in.Entries[i].MessageBody)
		}
		if total > MaxMessageBytes {
			return dst, newError("BatchRequestTooLong")
		}
		return s.batch(dst, in, fault, q.sendEntry)
	default:
		return dst, newError("UnknownOperation")
	}
}

// queueURL makes a queue's URL under the address that the request was sent to.
func (s *Server) queueURL(in *request, name string) string { return in.base + s.QueuePath(name) }

// receive answers a ReceiveMessage.
func (s *Server) receive(ctx context.Context, dst []byte, q *Queue, in *request, fault *Fault) ([]byte, *apiError) {
	n, visibility, wait := 1, q.options.VisibilityTimeout, q.options.WaitTime
	for _, p := range []struct {
		name      string
		value     *int
		low, high int
		set       func(int)
	}{
		{"MaxNumberOfMessages", in.MaxNumberOfMessages, 1, maxBatch, func(v int) { n = v }},
		{"WaitTimeSeconds", in.WaitTimeSeconds, 0, maxWait, func(v int) { wait = time.Duration(v) * time.Second }},
		{"VisibilityTimeout", in.VisibilityTimeout, 0, maxVisibility, func(v int) { visibility = time.Duration(v) * time.Second }},
	} {
		if p.value == nil {
			continue
		}
		if *p.value < p.low || *p.value > p.high {
			return dst, errorf("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.",
				*p.value, p.name, p.low, p.high)
		}
		p.set(*p.value)
	}
	names := slices.Concat(in.MessageSystemAttributeNames, in.AttributeNames)
	var deadline <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		deadline = timer.C
	}
	for {
		got, full := q.receive(n, visibility)
		if len(got) > 0 {
			return q.appendMessages(dst, got, names, fault != nil && fault.Kind == FaultWrongMD5), nil
		}
		if wait == 0 && full {
			return dst, newError("OverLimit")
		}
		if wait == 0 || !q.wait(ctx, deadline) {
			return append(dst, "{}"...), nil
		}
	}
}

// receive takes messages and moves those that were received too often to the dead-letter queue.
func (q *Queue) receive(n int, visibility time.Duration) (got []message, full bool) {
	q.mu.Lock()
	got, dead, full := q.take(n, visibility)
	q.mu.Unlock()
	if len(dead) > 0 {
		if target := q.server.Queue(q.options.DeadLetterQueue); target != nil {
			for _, m := range dead {
				target.takeDead(m, q.arn)
			}
		}
	}
	return got, full
}

// appendMessages appends the answer that holds the messages.
func (q *Queue) appendMessages(dst []byte, got []message, names []string, wrongMD5 bool) []byte {
	dst = append(dst, `{"Messages":[`...)
	for i := range got {
		m := &got[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"MessageId":"`...)
		dst = append(dst, m.id...)
		dst = append(dst, `","ReceiptHandle":"`...)
		dst = q.appendHandle(dst, m.seq, m.receives)
		if wrongMD5 {
			dst = append(dst, `","MD5OfBody":"00000000000000000000000000000000`...)
		} else if m.md5 != "" {
			dst = append(dst, `","MD5OfBody":"`...)
			dst = append(dst, m.md5...)
		}
		dst = append(dst, `","Body":`...)
		dst = append(dst, m.body...)
		dst = appendAttributes(dst, m, names)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// senderID is the account or user that sends; the simulator has one.
const senderID = "AIDAEXAMPLE"

// appendAttributes appends the system attributes that were asked for.
func appendAttributes(dst []byte, m *message, names []string) []byte {
	asked := func(name string) bool {
		for _, n := range names {
			if n == name || n == "All" {
				return true
			}
		}
		return false
	}
	before := len(dst)
	add := func(name string, value func([]byte) []byte) {
		if !asked(name) {
			return
		}
		if len(dst) == before {
			dst = append(dst, `,"Attributes":{"`...)
		} else {
			dst = append(dst, `,"`...)
		}
		dst = append(append(dst, name...), `":"`...)
		dst = append(value(dst), '"')
	}
	add("SenderId", func(b []byte) []byte { return append(b, senderID...) })
	add("SentTimestamp", func(b []byte) []byte { return strconv.AppendInt(b, m.sentAt.UnixMilli(), 10) })
	add("ApproximateReceiveCount", func(b []byte) []byte { return strconv.AppendInt(b, int64(m.receives), 10) })
	add("ApproximateFirstReceiveTimestamp", func(b []byte) []byte {
		return strconv.AppendInt(b, m.firstReceived.UnixMilli(), 10)
	})
	if m.deadLetterOf != "" {
		add("DeadLetterQueueSourceArn", func(b []byte) []byte { return append(b, m.deadLetterOf...) })
	}
	if len(dst) > before {
		dst = append(dst, '}')
	}
	return dst
}

// result is what a batch answers for an entry that went well.
type result struct {
	ID        string `json:"Id"`
	MessageID string `json:"MessageId,omitzero"`
	MD5       string `json:"MD5OfMessageBody,omitzero"`
}

// failure is what a batch answers for an entry that failed.
type failure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// batch checks a batch and does each of its entries.
func (s *Server) batch(dst []byte, in *request, fault *Fault, do func(*entry) (result, *apiError)) ([]byte, *apiError) {
	if e := checkEntries(in.Entries); e != nil {
		return dst, e
	}
	out := struct {
		Successful []result  `json:",omitzero"`
		Failed     []failure `json:",omitzero"`
	}{}
	for i := range in.Entries {
		var done result
		var e *apiError
		if fault != nil && fault.Kind == FaultEntries && s.faults.Draw(fault.EntryShare) {
			name := fault.Error
			setDefault(&name, "InternalFailure")
			e = newError(name)
		} else {
			done, e = do(&in.Entries[i])
		}
		if e != nil {
			out.Failed = append(out.Failed, failure{in.Entries[i].ID, e.fault == "Sender", e.code, e.message})
			continue
		}
		done.ID = in.Entries[i].ID
		out.Successful = append(out.Successful, done)
	}
	return appendJSON(dst, out), nil
}

// checkEntries checks the number and the ids of a batch's entries.
func checkEntries(entries []entry) *apiError {
	switch {
	case len(entries) == 0:
		return newError("EmptyBatchRequest")
	case len(entries) > maxBatch:
		return newError("TooManyEntriesInBatchRequest")
	}
	for i := range entries {
		if !validID(entries[i].ID) {
			return newError("InvalidBatchEntryId")
		}
		for j := range i {
			if entries[i].ID == entries[j].ID {
				return errorf("BatchEntryIdsNotDistinct", "Id %s repeated.", entries[i].ID)
			}
		}
	}
	return nil
}

func validID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 80
}

// sendOne answers a SendMessage.
func (q *Queue) sendOne(dst []byte, in *request) ([]byte, *apiError) {
	done, e := q.sendEntry(&entry{MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds,
		MessageAttributes: in.MessageAttributes})
	if e != nil {
		return dst, e
	}
	return appendJSON(dst, map[string]string{"MessageId": done.MessageID, "MD5OfMessageBody": done.MD5}), nil
}

// sendEntry stores one message.
func (q *Queue) sendEntry(in *entry) (result, *apiError) {
	if in.DelaySeconds != 0 || len(in.MessageAttributes) > len("{}") {
		return result{}, errorf("UnsupportedOperation", "The simulator takes no delays and no message attributes.")
	}
	id, e := q.send(in.MessageBody)
	if e != nil {
		return result{}, e
	}
	return result{MessageID: id, MD5: hexMD5([]byte(in.MessageBody))}, nil
}

// changeVisibilityOf checks the timeout, which is required, and sets it.
func (q *Queue) changeVisibilityOf(handle string, timeout *int) *apiError {
	switch {
	case timeout == nil:
		return errorf("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
	case *timeout < 0 || *timeout > maxVisibility:
		return errorf("InvalidParameterValue",
			"Value %d for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer between 0 and %d.",
			*timeout, maxVisibility)
	}
	return q.changeVisibility(handle, time.Duration(*timeout)*time.Second)
}

// attributes answers a GetQueueAttributes.
func (q *Queue) attributes(dst []byte, names []string) ([]byte, *apiError) {
	stats := q.Stats()
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	all := map[string]string{
		"QueueArn":                              q.arn,
		"ApproximateNumberOfMessages":           strconv.Itoa(stats.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(stats.InFlight),
		"ApproximateNumberOfMessagesDelayed":    "0",
		"VisibilityTimeout":                     seconds(q.options.VisibilityTimeout),
		"MessageRetentionPeriod":                seconds(q.options.Retention),
		"ReceiveMessageWaitTimeSeconds":         seconds(q.options.WaitTime),
		"MaximumMessageSize":                    strconv.Itoa(MaxMessageBytes),
		"DelaySeconds":                          "0",
		"SqsManagedSseEnabled":                  "true",
	}
	if q.options.DeadLetterQueue != "" {
		target := "arn:aws:sqs:" + q.options.Region + ":" + q.server.options.Account + ":" + q.options.DeadLetterQueue
		all["RedrivePolicy"] = string(appendJSON(nil, struct {
			Target string `json:"deadLetterTargetArn"`
			Max    int    `json:"maxReceiveCount"`
		}{target, q.options.MaxReceiveCount}))
	}
	asked := map[string]string{}
	for _, name := range names {
		value, ok := all[name]
		switch {
		case name == "All":
			asked = all
		case ok:
			asked[name] = value
		case name == "RedrivePolicy", name == "KmsMasterKeyId", name == "Policy", name == "RedriveAllowPolicy":
			// Known, but not set on this queue: left out of the answer.
		default:
			return dst, errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	if len(asked) == 0 {
		return append(dst, "{}"...), nil
	}
	return appendJSON(dst, map[string]any{"Attributes": asked}), nil
}

// appendJSON appends values that always have a JSON form.
func appendJSON(dst []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(dst, text...)
}
