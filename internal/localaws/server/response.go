package server

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// responseWriter remembers what was answered.
type responseWriter struct {
	http.ResponseWriter
	clock   func() time.Time
	status  int
	first   time.Time // when the answer began
	written int64
}

func (w *responseWriter) begun() bool { return w.status != 0 }

func (w *responseWriter) begin(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.first = status, w.clock()
	}
}

// truncated reports whether less was written than was announced.
func (w *responseWriter) truncated() bool {
	announced, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	return err != nil || w.written < announced
}

// WriteHeader sends the status.
func (w *responseWriter) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.written += int64(n)
	return n, err
}

// ReadFrom lets net/http send a file without copying it through here.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, r)
	w.written += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type bodyReader struct{ *bytes.Reader }

func (bodyReader) Close() error { return nil }

func newBody(b []byte) io.ReadCloser { return bodyReader{bytes.NewReader(b)} }

func requestID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails, by its documentation
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func setRequestID(h http.Header, id string) {
	h.Set("X-Amzn-Requestid", id)
	h.Set("X-Amz-Request-Id", id)
	h.Set("X-Amz-Id-2", id) // S3's second one
}
