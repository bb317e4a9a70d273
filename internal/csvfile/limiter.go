package csvfile

import (
	"bytes"
	"io"
)

// limiter fails when a record takes more than MaxRecord bytes, so that a file
// without line ends or with an open quote does not fill the memory. What the
// buffer above reads ahead counts too, which makes the bound approximate from above.
type limiter struct {
	r      io.Reader
	used   int   // bytes handed out since the last whole record
	total  int64 // bytes handed to the parser, so without a byte order mark
	broken bool  // a line end was handed out since the last whole record
	ended  bool  // the end was seen
}

// whole is told that a record has come to its end.
func (l *limiter) whole() { l.used, l.broken = 0, false }

// Read fails with errOpenQuote where the record goes on over a line end, which
// only a quote makes it do, and with errRecordTooLong otherwise.
func (l *limiter) Read(p []byte) (int, error) {
	if l.used > MaxRecord && l.broken {
		return 0, errOpenQuote
	}
	if l.used > MaxRecord {
		return 0, errRecordTooLong
	}
	n, err := l.r.Read(p)
	l.used += n
	l.total += int64(n)
	l.broken = l.broken || bytes.IndexByte(p[:n], '\n') >= 0
	l.ended = l.ended || err == io.EOF
	return n, err
}
