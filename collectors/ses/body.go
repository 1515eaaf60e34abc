package ses

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// plainBodies hides that a request's body can write itself (io.WriterTo). The SDK closes the body as soon as the answer's
// head has come; when net/http has not yet asked the body for its end by then, the closed body's WriteTo fails, and
// net/http takes that for a failed request and closes the connection under the answer. Ten messages would then stay
// invisible for the whole visibility timeout.
type plainBodies struct{ client sqs.HTTPClient }

// Do implements sqs.HTTPClient.
func (p plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.client.Do(r)
}
