package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"engage/internal/localaws/wire"
)

// patientBody reads a request's body as long as it keeps coming: a sender who
// stops in the middle does not hold a connection for ever.
type patientBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	stall time.Duration
	set   time.Time
}

// watchBody gives a request's body its deadline, which every byte puts off.
func (s *Server) watchBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	b := &patientBody{ReadCloser: r.Body, conn: http.NewResponseController(w), stall: s.cfg.Stall}
	b.putOff()
	r.Body = b
}

// putOff sets the deadline anew, not more often than matters.
func (b *patientBody) putOff() {
	if now := time.Now(); now.Sub(b.set) > b.stall/8 {
		b.set = now
		_ = b.conn.SetReadDeadline(now.Add(b.stall)) // a connection without deadlines has none
	}
}

// Read implements io.Reader. At the end of the body the connection is free of
// its deadline: what follows is another request, or the caller's hanging up.
func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errStalled.Because(err)
	case err != nil:
		_ = b.conn.SetReadDeadline(time.Time{})
	default:
		b.putOff()
	}
	return n, err
}

// errStalled is in the words of S3.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var errStalled = wire.Errorf("RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
