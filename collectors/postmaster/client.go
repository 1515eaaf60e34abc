package postmaster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/mailvane/mailvane/collectors"
)

const (
	// maxAnswer bounds the body of an answer, maxRefusal that of one with an error.
	maxAnswer  = 10 << 20
	maxRefusal = 64 << 10
	// maxFailedCalls is how many calls in a row may fail before the fault is taken to be the server's and the pass ends.
	// A batch in which one domain makes every answer fail is halved fewer times than that.
	maxFailedCalls = 10
)

// client makes the calls of one pass, one after another.
type client struct {
	c    *Collector
	http *http.Client
	who  *identity
	// requests counts the calls; failed counts those at the end that the server failed to answer.
	requests, failed int
}

func (c *Collector) newClient(ctx context.Context) (*client, error) {
	who, err := c.identify(ctx)
	if err != nil {
		return nil, err
	}
	return &client{c: c, who: who, http: &http.Client{
		Transport: c.transport,
		// The API has no redirects, and a token must not follow one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// call makes a call and decodes its answer. All calls only read, so one that failed by chance, or whose token ran out, is
// made once more; that, too, waits for its turn. Longer pauses are the scheduler's.
func (cl *client) call(ctx context.Context, method, path string, query url.Values, body, into any) *failure {
	f := cl.once(ctx, method, path, query, body, into)
	if f != nil && f.expired {
		// A token may be revoked, or run out early, in the midst of a pass.
		who, err := cl.c.identify(ctx)
		if err != nil {
			return asFailure(err)
		}
		cl.who = who
		f = cl.once(ctx, method, path, query, body, into)
	}
	if f != nil && f.again {
		f = cl.once(ctx, method, path, query, body, into)
	}
	if f == nil || f.reason != collectors.ReasonUnavailable && f.reason != collectors.ReasonMalformed {
		cl.failed = 0
		return f
	}
	if cl.failed++; cl.failed >= maxFailedCalls {
		f.whole = true
	}
	return f
}

// once makes a call once.
func (cl *client) once(ctx context.Context, method, path string, query url.Values, body, into any) *failure {
	if err := cl.c.limiter.Wait(ctx); err != nil {
		return ended(ctx, err)
	}
	token, err := cl.who.tokens.Token()
	if ctx.Err() != nil {
		return ended(ctx, ctx.Err())
	}
	if err != nil {
		return cl.c.tokenFailure(err, cl.who.kind)
	}
	callCtx, cancel := context.WithTimeoutCause(ctx, cl.c.timeout, &silenceError{cl.c.timeout})
	defer cancel()
	request, err := cl.request(callCtx, method, path, query, body)
	if err != nil {
		return &failure{reason: collectors.ReasonInternal, whole: true, err: err}
	}
	token.SetAuthHeader(request)
	cl.requests++
	f := cl.exchange(request, into)
	switch {
	case f == nil:
		return nil
	case ctx.Err() != nil:
		return ended(ctx, ctx.Err())
	case callCtx.Err() != nil:
		return networkFailure(context.Cause(callCtx))
	}
	return f
}

func (cl *client) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("prettyPrint", "false") // a fourth less to read
	var data io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		data = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, cl.c.endpoint+path+"?"+query.Encode(), data)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "mailvane")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if cl.who.project != "" {
		r.Header.Set("X-Goog-User-Project", cl.who.project)
	}
	return r, nil
}

// exchange sends a request and reads the answer.
func (cl *client) exchange(request *http.Request, into any) *failure {
	answer, err := cl.http.Do(request)
	if err != nil {
		return networkFailure(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // the status alone says enough
		return cl.c.answerFailure(answer.StatusCode, answer.Header, text)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return networkFailure(err)
	case len(text) > maxAnswer:
		return &failure{reason: collectors.ReasonMalformed, divisible: true, err: errors.New("the answer is larger than 10 MiB")}
	}
	if err := json.Unmarshal(text, into); err != nil {
		f := &failure{reason: collectors.ReasonMalformed, hint: hintEndpoint, again: true}
		f.err = errors.New("the answer is not one of the API")
		if errors.Is(err, errTooMany) {
			f.hint, f.again, f.divisible, f.err = "", false, true, errTooMany
		}
		return f
	}
	return nil
}

// asFailure is the failure that err is.
func asFailure(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{reason: collectors.ReasonInternal, whole: true, err: err}
}
