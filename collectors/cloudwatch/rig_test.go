package cloudwatch

import (
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/collectors"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

var update = flag.Bool("update", false, "write the golden files")

// server answers calls to CloudWatch by its wire protocol, one handler for each operation, and all others to STS.
type server struct {
	*httptest.Server
	operations map[string]func(w http.ResponseWriter, in cbor.Map)
	sts        http.HandlerFunc

	mu    sync.Mutex // protects all following fields
	calls []cbor.Map
	seen  []Call
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{operations: map[string]func(http.ResponseWriter, cbor.Map){}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Smithy-Protocol") == "" {
		s.sts(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	in, err := cbor.Decode(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, in.(cbor.Map))
	s.mu.Unlock()
	s.operations[path.Base(r.URL.Path)](w, in.(cbor.Map))
}

func (s *server) made() []cbor.Map {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// options are those of an account of the server.
func (s *server) options() Options {
	return Options{
		Source: "metrics/us-east-1", Region: "us-east-1",
		AWS: aws.Config{
			BaseEndpoint: &s.URL,
			Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		},
		Observe: func(c Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen = append(s.seen, c)
		},
	}
}

func (s *server) account(t *testing.T) *Account {
	t.Helper()
	a, err := Open(s.options())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// reply answers with what CBOR can say.
func reply(w http.ResponseWriter, status int, v cbor.Value) { replyBytes(w, status, cbor.Encode(v)) }

func replyBytes(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#" + code), "message": cbor.String(message)})
}

// sample is one of the shared samples.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "testdata", "cloudwatch", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// failure is the typed error that err must be.
func failure(t *testing.T, err error) *collectors.Error {
	t.Helper()
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok {
		t.Fatalf("%v is no *collectors.Error", err)
	}
	return e
}
