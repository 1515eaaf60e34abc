package s3

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// maxObject bounds an object. S3's own bound of one request is 5 GiB
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html).
const maxObject = 64 << 20

// Options says how a Server is.
type Options struct {
	// Account is that of credentials that are of no assumed role.
	Account string
	Buckets []Bucket
	// Seed makes the shares of faults.
	Seed uint64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Bucket is a bucket. Its owner's account alone may use it.
type Bucket struct {
	// Name is the bucket's name; Region us-east-1 when empty, Account the server's.
	Name, Region, Account string
}

// Object is an object that was put.
type Object struct {
	Data        []byte
	ContentType string
	Modified    time.Time
	// Puts counts how often it was put.
	Puts int
}

// Server answers requests to S3. It is an http.Handler.
type Server struct {
	*gate.Gate
	now     func() time.Time
	buckets map[string]Bucket

	mu      sync.Mutex // protects objects
	objects map[string]*Object
}

// New makes a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		Gate: gate.New(o.Account, o.Seed, o.Now), now: o.Now, buckets: make(map[string]Bucket), objects: make(map[string]*Object),
	}
	for _, b := range o.Buckets {
		b.Region, b.Account = cmp.Or(b.Region, "us-east-1"), cmp.Or(b.Account, o.Account)
		s.buckets[b.Name] = b
	}
	return s
}

// Keys lists the keys of a bucket in their order.
func (s *Server) Keys(bucket string) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path := range maps.Keys(s.objects) {
		if key, ok := strings.CutPrefix(path, bucket+"/"); ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Object returns a copy of what was put under a key, the zero Object when nothing was.
func (s *Server) Object(bucket, key string) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[bucket+"/"+key]; o != nil {
		return *o
	}
	return Object{}
}

// operations are those that are understood, by method.
func operations() map[string]string {
	return map[string]string{http.MethodPut: "PutObject", http.MethodGet: "GetObject", http.MethodHead: "HeadObject"}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, e := s.Identify(r, "s3")
	if e != nil {
		fail(w, r, refusal(e))
		return
	}
	op := operations()[r.Method]
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	done, cut, e := s.Admit(w, r, op, "s3:"+op, caller)
	switch {
	case done && e == nil:
		return
	case e != nil:
		fail(w, r, refusal(e))
		return
	}
	bucket, known := s.buckets[name]
	switch {
	case op == "" || key == "":
		fail(w, r, answer(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource."))
	case !known:
		fail(w, r, answer(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"))
	case bucket.Region != caller.Region:
		w.Header().Set("X-Amz-Bucket-Region", bucket.Region)
		fail(w, r, answer(http.StatusMovedPermanently, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint."))
	case bucket.Account != caller.Account:
		fail(w, r, answer(http.StatusForbidden, "AccessDenied", "Access Denied"))
	case op == "PutObject":
		s.put(w, r, name+"/"+key)
	default:
		s.get(w, r, name+"/"+key, cut)
	}
}

// put answers PutObject (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
func (s *Server) put(w http.ResponseWriter, r *http.Request, path string) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxObject+1))
	switch {
	case err != nil:
		fail(w, r, answer(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"))
		return
	case len(data) > maxObject:
		fail(w, r, answer(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"))
		return
	}
	if e := verify(r.Header, data); e != nil {
		fail(w, r, e)
		return
	}
	s.mu.Lock()
	puts := 1
	if old := s.objects[path]; old != nil {
		puts += old.Puts
	}
	s.objects[path] = &Object{Data: data, ContentType: r.Header.Get("Content-Type"), Modified: s.now(), Puts: puts}
	s.mu.Unlock()
	w.Header().Set("Etag", etag(data))
	w.WriteHeader(http.StatusOK)
}

// verify holds a body against what the request says of it.
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html)
func verify(h http.Header, data []byte) *gate.Error {
	sum := sha256.Sum256(data)
	switch said := h.Get("X-Amz-Content-Sha256"); said {
	case "":
		return answer(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case "UNSIGNED-PAYLOAD", hex.EncodeToString(sum[:]):
	default:
		return answer(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	said := h.Get("X-Amz-Checksum-Crc32")
	crc := crc32.ChecksumIEEE(data)
	if want := base64.StdEncoding.EncodeToString([]byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)}); said != "" && said != want {
		return answer(http.StatusBadRequest, "BadDigest", "The CRC32 you specified did not match the calculated checksum.")
	}
	return nil
}

func etag(data []byte) string {
	sum := md5.Sum(data)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// get answers GetObject and HeadObject.
func (s *Server) get(w http.ResponseWriter, r *http.Request, path string, cut bool) {
	s.mu.Lock()
	o := s.objects[path]
	s.mu.Unlock()
	switch {
	case o == nil:
		fail(w, r, answer(http.StatusNotFound, "NoSuchKey", "The specified key does not exist."))
	case cut:
		wire.Truncate(w, o.ContentType, o.Data)
	default:
		h := w.Header()
		h.Set("Content-Type", o.ContentType)
		h.Set("Etag", etag(o.Data))
		http.ServeContent(w, r, "", o.Modified, bytes.NewReader(o.Data))
	}
}

func answer(status int, code, message string) *gate.Error {
	return &gate.Error{Code: code, Message: message, Status: status}
}

// refusal is an error of the gate in S3's own words (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
func refusal(e *gate.Error) *gate.Error {
	own := *e
	switch e.Code {
	case "MissingAuthenticationToken":
		own.Code, own.Message = "AccessDenied", "Access Denied"
	case "Throttling", "ThrottlingException":
		own.Code, own.Message, own.Status = "SlowDown", "Please reduce your request rate.", http.StatusServiceUnavailable
	case "InternalFailure":
		own.Code, own.Message = "InternalError", "We encountered an internal error. Please try again."
	case "ExpiredToken":
		own.Status, own.Message = http.StatusBadRequest, "The provided token has expired."
	}
	return &own
}

// fail answers an error as S3 does.
func fail(w http.ResponseWriter, r *http.Request, e *gate.Error) {
	body, err := xml.Marshal(struct {
		XMLName                                    xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId, HostId string
	}{Code: e.Code, Message: e.Message, Resource: r.URL.Path, RequestId: "0123456789ABCDEF", HostId: "simulator"})
	if err != nil {
		panic(err) // an error is text
	}
	body = append([]byte(xml.Header), body...)
	wire.RetryAfter(w, e.RetryAfter)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}
